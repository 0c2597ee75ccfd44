package article

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// score is how much of a text was found, and how much else.
type score struct{ precision, recall float64 }

func (s score) f1() float64 {
	if s.precision+s.recall == 0 {
		return 0
	}
	return 2 * s.precision * s.recall / (s.precision + s.recall)
}

var word = regexp.MustCompile(`[\pL\pM\pN_]+`)

// shingles counts the runs of four words in a text; a shorter text is one run.
func shingles(text string) map[string]int {
	words := word.FindAllString(text, -1)
	out := make(map[string]int)
	for i := 0; i < max(1, len(words)-3); i++ {
		if run := words[i:min(i+4, len(words))]; len(run) > 0 {
			out[strings.Join(run, " ")]++
		}
	}
	return out
}

// scoring averages precision and recall over pages by runs of four words, as the
// article extraction benchmark of Scrapinghub defines it: F1 is that of the averages.
type scoring struct {
	precision, recall float64
	predicted, wanted int // pages that count for each
}

func (s *scoring) add(want, got string) score {
	a, b := shingles(want), shingles(got)
	both, inWant, inGot := 0, 0, 0
	for run, n := range a {
		both += min(n, b[run])
		inWant += n
	}
	for _, n := range b {
		inGot += n
	}
	one := score{1, 1}
	if inGot > 0 {
		one.precision = float64(both) / float64(inGot)
		s.precision += one.precision
		s.predicted++
	}
	if inWant > 0 {
		one.recall = float64(both) / float64(inWant)
		s.recall += one.recall
		s.wanted++
	}
	return one
}

func (s *scoring) mean() score {
	return score{s.precision / float64(max(s.predicted, 1)), s.recall / float64(max(s.wanted, 1))}
}

func TestShingles(t *testing.T) {
	var s scoring
	s.add("a b c d e", "a b c d x")
	if got := s.mean(); got.precision != 0.5 || got.recall != 0.5 || got.f1() != 0.5 {
		t.Errorf("got %v", got)
	}
	s.add("one", "")
	if got := s.mean(); got.precision != 0.5 || got.recall != 0.25 {
		t.Errorf("a page without a prediction: %v, want its recall alone to count", got)
	}
}

func page(t testing.TB, body string) *crawler.Page { return pageAt(t, pageURL, body) }

func pageAt(t testing.TB, address, body string) *crawler.Page {
	t.Helper()
	u, err := urls.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{
		Body: []byte(body), MediaType: "text/html", Header: http.Header{},
	})
}

func try(t testing.TB, x *Article, address, body string) (*crawler.Result, error) {
	t.Helper()
	p := pageAt(t, address, body)
	r := &crawler.Result{}
	err := x.Extract(context.Background(), p, crawler.NewEmitter("article", p, r))
	return r, err
}

func field(r crawler.Record, name string) any {
	for _, f := range r.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// The benchmark of Scrapinghub, or pages in its layout (ground-truth.json, and
// html/ID.html.gz for each of its keys), in the folder that AMBLE_ARTICLES names.
func TestOutsideArticles(t *testing.T) {
	dir := os.Getenv("AMBLE_ARTICLES")
	if dir == "" {
		t.Skip("AMBLE_ARTICLES names no folder")
	}
	text, err := os.ReadFile(filepath.Join(dir, "ground-truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth map[string]struct {
		ArticleBody string `json:"articleBody"`
		URL         string `json:"url"`
	}
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	for engine := range leastF1 {
		var all scoring
		none := 0
		for id, page := range truth {
			x := New()
			x.Engine, x.Markdown, x.MinLength = engine, false, 1
			if page.URL == "" {
				page.URL = "https://s.example/page.html"
			}
			r, err := try(t, x, page.URL, unzipped(t, filepath.Join(dir, "html", id+".html.gz")))
			if err != nil {
				t.Errorf("%s: %v", id, err)
			}
			got := ""
			if len(r.Records) == 1 {
				got = field(r.Records[0], "text").(string)
			} else {
				none++
			}
			one := all.add(page.ArticleBody, got)
			t.Logf("%s %.3f %.3f %s", engine, one.precision, one.recall, id)
		}
		m := all.mean()
		t.Logf("%s: F1 %.3f, precision %.3f, recall %.3f on %d pages, %d without a record",
			engine, m.f1(), m.precision, m.recall, len(truth), none)
	}
}

func unzipped(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
