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
	large := manyAttributes(60)
	pieces := []string{
		"<b" + large + ">", "<i" + large + ">", "<a" + large + ">", "<p" + large + ">", "</b>", "</i>", "</a>", "<p>", "<div>",
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

// Formatting is opened again with its attributes, in every paragraph.
func TestAttributesOfFormattingAreCountedEachTime(t *testing.T) {
	for _, tag := range []string{"b", "a", "FONT"} {
		body := "<p><" + tag + manyAttributes(1000) + ">x</p>" + strings.Repeat("<p>x</p>", 2000)
		actual, ok := treeOf(body)
		if estimate := treeSize([]byte(body)); !ok || estimate < actual || actual < 50<<20 || !mayGrow([]byte(body), 8<<20) {
			t.Errorf("%s: a tree of %d bytes was estimated at %d", tag, actual, estimate)
		}
	}
	plain := strings.Repeat("<p class='a b'>x <a href='/y' class=z title='the title of a link'>x</a> <em>x</em></p>", 60)
	if mayGrow([]byte(plain), 6<<20) {
		t.Error("a plain page was suspected")
	}
	if !mayGrow([]byte(strings.Repeat("<b ", 1_000_000)), 6<<20) {
		t.Error("tags in tags were not suspected")
	}
}

func BenchmarkMayGrow(b *testing.B) {
	page := []byte(strings.Repeat("<p class='a b'>"+strings.Repeat("text ", 40)+"<a href='/y' class=z title='the title of a link'>x</a> <span>x</span></p>", 40))
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if mayGrow(page, 6<<20) {
			b.Fatal("a plain page was suspected")
		}
	}
}
