package simhash

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

func page(body string) *crawler.Page {
	return crawler.NewPage(&crawler.Request{}, &crawler.Response{Status: 200, MediaType: "text/html", Body: []byte(body)})
}

func mustPrint(t *testing.T, body string) uint64 {
	t.Helper()
	print, _, ok := Page(page(body))
	if !ok {
		t.Fatal("an HTML page has no print")
	}
	return print
}

func distance(a, b uint64) int { return bits.OnesCount64(a ^ b) }

// words makes a text of n words that a number decides.
func words(seed uint64, n int) []string {
	random := rand.New(rand.NewPCG(seed, 0))
	text := make([]string, n)
	for i := range text {
		w := make([]byte, 10+random.IntN(6))
		for j := range w {
			w[j] = byte('a' + random.IntN(26))
		}
		text[i] = string(w)
	}
	return text
}

// What is stored is compared with what later versions compute.
func TestPrintIsStable(t *testing.T) {
	const text = "The quick brown fox jumps over the lazy dog, and 12 more of them in March 2026."
	print, n := Text(text)
	if want := uint64(0x45c4c11074186358); print != want || n != 14 {
		t.Errorf("the print is %#x of %d words, want %#x of 14", print, n, want)
	}
}

// A word changed in a long text changes few bits, another text about half.
func TestDistance(t *testing.T) {
	far, near := 0, 0
	const texts = 50
	for seed := range uint64(texts) {
		text := words(seed, 600)
		print, n := Text(strings.Join(text, " "))
		if n != 600 {
			t.Fatalf("%d words, want 600", n)
		}
		text[rand.N(len(text))] = "replaced"
		changed, _ := Text(strings.Join(text, " "))
		near += distance(print, changed)
		other, _ := Text(strings.Join(words(seed+1000, 600), " "))
		if d := distance(print, other); d <= 8 {
			t.Errorf("two different texts are %d bits apart", d)
		}
		far += distance(print, other)
	}
	if mean := float64(near) / texts; mean > 3 {
		t.Errorf("one word of 600 changes %.1f bits on average", mean)
	}
	if mean := float64(far) / texts; mean < 26 || mean > 38 {
		t.Errorf("different texts are %.1f bits apart on average", mean)
	}
}

// Only what a reader sees counts, and of that no dates and numbers.
func TestWhatCounts(t *testing.T) {
	month := func(name string, n int) string {
		return fmt.Sprintf("<!doctype html><title>%s %d</title><script>var x%d = 'words of the script'</script><style>a%d{}</style>"+
			"<!-- comment %s --><h1>%s %d</h1><p>Nothing happens in this month. <a href=/%d>next</a></p><p>%d, %d.</p>", name, n, n, n, name, name, n, n, n, n+1)
	}
	want := mustPrint(t, month("January", 2026))
	for i, name := range []string{"February", "Mar", "avril", "Mai", "июня"} {
		if got := mustPrint(t, month(name, 2027+i)); got != want {
			t.Errorf("the page of %s differs in %d bits", name, distance(got, want))
		}
	}
	if mustPrint(t, strings.Replace(month("January", 2026), "Nothing", "A concert", 1)) == want {
		t.Error("an event changes nothing")
	}
	if mustPrint(t, "<p>one two three four</p>") == mustPrint(t, "<p>four three two one</p>") {
		t.Error("the order of words does not count")
	}
}

func TestOtherTypes(t *testing.T) {
	p := page("{}")
	p.Response.MediaType = "application/json"
	if _, _, ok := Page(p); ok {
		t.Error("JSON has a print")
	}
	if print, n, ok := Page(page("")); print != 0 || n != 0 || !ok {
		t.Errorf("an empty page gives %#x of %d words, %v", print, n, ok)
	}
}

// Markup and space make no difference to a text.
func TestMarkupDoesNotCount(t *testing.T) {
	tags := rapid.SampledFrom([]string{" ", "<b>", "</b> ", "\n<p>", "<br>", "<img src=x>", "&nbsp;", ", "})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.StringMatching(`[a-zäé]{2,8}`), 0, 40).Draw(t, "words")
		var marked strings.Builder
		for _, w := range text {
			marked.WriteString(w + " " + tags.Draw(t, "tag"))
		}
		plain, n := Text(strings.Join(text, " "))
		got, m, _ := Page(page(marked.String()))
		if got != plain || n != m {
			t.Errorf("%q is %#x of %d words, %q is %#x of %d", text, plain, n, marked.String(), got, m)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add("<p>a b c<script>x</p></script><style>")
	f.Add("<noscript><title>\xff\xfe</noscript>")
	f.Fuzz(func(t *testing.T, body string) {
		print, n, ok := Page(page(body))
		again, m, _ := Page(page(body))
		if !ok || print != again || n != m || n > maxWords || n == 0 && print != 0 {
			t.Errorf("%q gives %#x of %d words, then %#x of %d", body, print, n, again, m)
		}
	})
}

func BenchmarkPage(b *testing.B) {
	p := page("<html><body><p>" + strings.Join(words(1, 1500), " <b>") + "</p></body></html>") // 15 KB
	b.SetBytes(int64(len(p.Response.Body)))
	for b.Loop() {
		Page(p)
	}
}
