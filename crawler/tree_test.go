package crawler

import (
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// treeOf is what a tree takes at the least, false where there is none.
func treeOf(body string) (size int64, ok bool) {
	root, err := html.ParseWithOptions(strings.NewReader(body), html.ParseOptionEnableScripting(false))
	if err != nil {
		return 0, false
	}
	size = 0
	for n := range root.Descendants() {
		size += int64(unsafe.Sizeof(*n)) + int64(len(n.Attr))*int64(unsafe.Sizeof(html.Attribute{}))
		if n.Type == html.TextNode {
			size += int64(len(n.Data))
		}
	}
	return size, true
}

// However tags are put together, no tree is larger than it was estimated.
func TestTreesAreNotUnderestimated(t *testing.T) {
	pieces := []string{
		"<b>", "<i a=1>", "<font a=1>", "<font a=2>", "<font a=3>", "<a href=x>", "<u>", "</b>", "</i>", "</font>", "</a>", "</u>",
		"<p>", "</p>", "<div>", "</div>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<li>", "<ul>", "</ul>", "<br>", "<hr/>",
		"<select>", "</select>", "<option>", "<svg>", "</svg>", "<title>", "</title>", "<object>", "</object>", "<template>",
		"</template>", "<math>", "<mi>", "<h1>", "</h1>", "<form>", "<noscript>", "</noscript>", "<script>", "</script>", "<!-- </b> -->", "x", " ", "<p a b c d=e>",
	}
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 200).Draw(t, "pieces"), "")
		actual, ok := treeOf(body)
		if estimate := treeSize([]byte(body)); ok && actual > estimate+10*nodeBytes {
			t.Fatalf("a tree of %d bytes was estimated at %d", actual, estimate)
		}
	})
}
