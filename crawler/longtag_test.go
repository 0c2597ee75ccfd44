package crawler

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// manyAttributes are n of them, all different.
func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d", i)
	}
	return b.String()
}

// A page with tokens too long for the tokenizer is estimated as one with short
// ones: what comes after them is neither lost nor taken for something else.
func TestLongTokensAreMeasured(t *testing.T) {
	long := strings.Repeat("x ", longToken/2+10)
	rest := strings.Repeat("<p><b>", 500)
	for name, token := range map[string]string{
		"text": long, "comment": "<!--" + long + "-->", "script": "<script>" + long + "<b></script>", "title": "<title>" + long + "</title>",
		"tag": "<p " + long + ">", "value": "<p title='" + long + "><b'>", "tag name": "<p" + strings.ReplaceAll(long, " ", "x") + ">",
		"closed": "<br " + long + "/>", "end tag": "</p " + long + ">", "formatting": "<b " + long + ">", "cut text": long[:longToken-2],
		"comment in script": "<script><!--" + long + "</script>", "text area": "<textarea><p" + long + "</textarea>",
		"tag at the limit": strings.Repeat("x", longToken-2) + "<a" + long + ">", "script tag": "<script " + long + ">" + long + "<b>" + long + "</script>",
	} {
		body := "<p>x" + token + rest
		actual, ok := treeOf(body)
		size, after := treeSize([]byte(body)), treeSize([]byte(rest))
		if ok && size < actual || size < after {
			t.Errorf("%s: a tree of %d bytes was estimated at %d, of which the end alone takes %d", name, actual, size, after)
		}
	}
	if size := treeSize([]byte("<p" + manyAttributes(100_000))); size > longToken {
		t.Errorf("a tag that the page cuts was estimated at %d bytes", size)
	}
}

// A tag is measured as the tokenizer reads it.
func TestTagsAreMeasuredAsTheTokenizerReadsThem(t *testing.T) {
	pieces := []string{"a", "b=c", "=", "==", "'", "\"", " ", "/", "\n", ">", "<", "d='e f'", "g=\"h>i\"", "j = k", "\x00"}
	rapid.Check(t, func(t *rapid.T) {
		tag := "<x" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), "") + rapid.SampledFrom([]string{">", "", ">y"}).Draw(t, "end")
		name, attributes, end := measureTag([]byte(tag))
		z := html.NewTokenizer(strings.NewReader(tag))
		if z.Next() == html.ErrorToken {
			if end >= 0 {
				t.Fatalf("%q ends at %d; the tokenizer says that it does not", tag, end)
			}
			return
		}
		if want := len(z.Raw()); end != want {
			t.Fatalf("%q ends at %d, want %d", tag, end, want)
		}
		got, more := z.TagName()
		if !strings.EqualFold(string(bytes.ReplaceAll([]byte(tag[1:name]), []byte{0}, []byte("\ufffd"))), string(bytes.ReplaceAll(got, []byte{0}, []byte("\ufffd")))) {
			t.Fatalf("%q has the name %q, want %q", tag, tag[1:name], got)
		}
		for ; more; attributes-- {
			_, _, more = z.TagAttr()
		}
		if attributes < 0 {
			t.Fatalf("%q has %d attributes more than were counted", tag, -attributes)
		}
	})
}

// To find out that a tag has a million attributes takes less memory than they do.
func TestMeasuringIsCheap(t *testing.T) {
	body := []byte("<p" + manyAttributes(1_000_000) + ">x")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	size := treeSize(body)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; size < 96_000_000 || took > 16*longToken*4 {
		t.Errorf("%d bytes were estimated, which took %d bytes", size, took)
	}
}
