//go:build full

package article

import (
	"strings"
	"testing"
)

func init() { leastF1[engineThorough] = 0.96 }

// What looks like a mark of ours on a page is taken off, and a link is one again.
func TestMarks(t *testing.T) {
	prose := strings.Repeat("Some words of prose that make an article of it. ", 8)
	body := "<article><p>" + prose + "\U000F0000\U000F0001 odd <a href=a>one <b>bold</b></a>, <a href=b> two </a>, <a href=c><b>x</b></a>.<p>" + prose
	x := New()
	x.Engine = engineThorough
	got := field(extract(t, x, body).Records[0], "markdown").(string)
	if want := " odd [one](https://s.example/dir/a) **bold**, [two](https://s.example/dir/b) , [**x**](https://s.example/dir/c)."; !strings.Contains(got, want) {
		t.Errorf("got %q", got)
	}
	if strings.ContainsFunc(got, isMark) {
		t.Errorf("a mark is left in %q", got)
	}
}

// Where the page does not say its language, it is read off the text; and the heading
// is part of the text.
func TestThoroughKnowsMore(t *testing.T) {
	x := New()
	x.Engine = engineThorough
	for _, page := range []string{"divs", "shell"} {
		if got := field(extract(t, x, read(t, "testdata/"+page+".html")).Records[0], "language"); got != "en" {
			t.Errorf("%s: the language is %v", page, got)
		}
	}
	markdown := field(extract(t, x, read(t, "testdata/news.html")).Records[0], "markdown").(string)
	if !strings.HasPrefix(markdown, "# Bridge over the Lumm opens a year early\n") {
		t.Errorf("got %q", markdown)
	}
}
