package article

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
)

const pageURL = "https://s.example/dir/page.html"

// leastF1 is what each engine of the binary must reach on the pages of testdata.
var leastF1 = map[string]float64{engineFast: 0.95}

// The pages of testdata, each with its text as a person would cut it out.
func TestTexts(t *testing.T) {
	pages, err := filepath.Glob("testdata/*.html")
	if err != nil || len(pages) < 7 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for engine, least := range leastF1 {
		var all scoring
		for _, page := range pages {
			want, err := os.ReadFile(strings.TrimSuffix(page, ".html") + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			x := New()
			x.Engine = engine
			got := ""
			if r := extract(t, x, read(t, page)); len(r.Records) == 1 {
				got = field(r.Records[0], "text").(string)
			}
			one := all.add(string(want), got)
			t.Logf("%s %s: precision %.3f, recall %.3f", engine, filepath.Base(page), one.precision, one.recall)
		}
		if m := all.mean(); m.f1() < least {
			t.Errorf("%s: F1 is %.3f, want at least %.2f", engine, m.f1(), least)
		}
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func extract(t testing.TB, x *Article, body string) *crawler.Result {
	t.Helper()
	r, err := try(t, x, pageURL, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shown is a record's fields but for its text, one a line, nulls left out.
func shown(r crawler.Record) string {
	var lines []string
	for _, f := range r.Fields {
		if f.Value != nil && f.Name != "text" && f.Name != "markdown" {
			lines = append(lines, fmt.Sprintf("%s: %v", f.Name, f.Value))
		}
	}
	return strings.Join(lines, "\n")
}

func TestMetadata(t *testing.T) {
	for page, want := range map[string]string{
		"news": "title: Bridge over the Lumm opens a year early\nauthors: [Ottilie Marsh Jonas Weidenbach]\n" +
			"published: 2026-02-11T06:15:00+01:00\nmodified: 2026-02-11T09:40:00+01:00\nlanguage: en-GB\n" +
			"description: The footbridge cost less than planned, and nobody quite knows why.\nsite: The Lumm Gazette\n" +
			"image: https://s.example/img/bridge.jpg",
		"howto": "title: Sharpening a plane iron\nauthors: [Petra Oldenkamp]\npublished: 2025-11-03\nmodified: 2025-12-01T10:00:00Z\n" +
			"language: en\nsite: Bench Notes\nimage: https://bench.example/iron.png",
		"paywall":  "title: Warum die Uhr am Rathaus nachgeht\nauthors: [Friederike Lanz]\npublished: 2026-01-05T05:00:00+01:00\nlanguage: de",
		"japanese": "title: 港の灯台に新しい明かり\nauthors: [鈴木 海斗]\npublished: 2026-03-02\nlanguage: ja",
		"arabic":   "title: سوق الكتب القديمة يعود إلى الميناء\nlanguage: ar",
		"divs":     "title: A winter on the island",
		"shell":    "title: Snow closes the pass\nlanguage: en",
	} {
		r := extract(t, New(), read(t, "testdata/"+page+".html"))
		if len(r.Records) != 1 {
			t.Errorf("%s: %d records", page, len(r.Records))
			continue
		}
		if got := shown(r.Records[0]); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", page, got, want)
		}
	}
}

// Where the pages of a site say a thing in one way only.
func TestSources(t *testing.T) {
	prose := "<p>" + strings.Repeat("Some words of prose that make an article of it. ", 10)
	for name, c := range map[string]struct{ head, body, want string }{
		"an address with a day":      {"", "", "published: 2026-03-28"},
		"time":                       {"", `<time datetime="2026-01-02T03:04Z">then</time>`, "published: 2026-01-02T03:04:00Z"},
		"time of publication":        {"", `<time datetime="2026-01-01"></time><time pubdate datetime="2026-01-02">`, "published: 2026-01-02"},
		"microdata":                  {"", `<meta itemprop=datePublished content=2026-01-02><span itemprop=dateModified>3 January 2026</span>`, "published: 2026-01-02\nmodified: 2026-01-03"},
		"Dublin Core":                {`<meta name=DC.date content=2026-01-02><meta name=dc.creator content="A. Writer"><meta name=DC.language content=sv>`, "", "authors: [A. Writer]\npublished: 2026-01-02\nlanguage: sv"},
		"a date that is none":        {`<meta name=date content=soon><meta name=pubdate content=2026-01-02>`, "", "published: 2026-01-02"},
		"authors, one a meta":        {`<meta name=citation_author content="Lovelace, Ada"><meta name=citation_author content="Noether, Emmy">`, "", "authors: [Lovelace, Ada Noether, Emmy]"},
		"authors in one meta":        {`<meta name=author content="Ada Byron, Emmy Noether &amp; Sophie Germain">`, "", "authors: [Ada Byron Emmy Noether Sophie Germain]"},
		"an address is no author":    {`<meta property=article:author content="https://social.example/x">`, `<a rel=author>Von Ida Rhodes</a>`, "authors: [Ida Rhodes]"},
		"microdata's author":         {"", `<div itemprop=author itemscope><img alt=x><b itemprop=name>Ida Rhodes</b> editor</div>`, "authors: [Ida Rhodes]"},
		"a class":                    {"", `<p class=byline>By Ida Rhodes</p><p class=author>a reader</p>`, "authors: [Ida Rhodes]"},
		"a title with its site":      {`<title>Oaks &mdash; Trees</title><meta property=og:site_name content=trees>`, "", "title: Oaks\nsite: trees"},
		"the only heading":           {`<title>Trees</title>`, `<h1>Oaks</h1>`, "title: Oaks"},
		"several headings":           {`<title>Trees</title>`, `<h1>Oaks</h1><h1>Ashes</h1>`, "title: Trees"},
		"broken JSON-LD":             {`<script type=application/ld+json>{"@type":"Article",</script><script type="application/ld+json; charset=utf-8">/* x */[{"@type":["Thing","TechArticle"],"name":"A &amp; B","author":["X Y",{"givenName":"Z","familyName":"W"}]},]</script>`, "", "title: A & B\nauthors: [X Y Z W]"},
		"JSON-LD that is no article": {`<script type=application/ld+json>{"@type":"JobPosting","name":"no"}</script>`, "", ""},
	} {
		page := "https://s.example/page"
		if name == "an address with a day" {
			page = "https://s.example/2026/03/28/page"
		}
		r, err := try(t, New(), page, "<html><head>"+c.head+"</head><body>"+c.body+prose)
		if err != nil || len(r.Records) != 1 {
			t.Errorf("%s: %d records, %v", name, len(r.Records), err)
			continue
		}
		if got := shown(r.Records[0]); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	r := extract(t, New(), read(t, "testdata/news.html"))
	markdown := field(r.Records[0], "markdown").(string)
	for _, want := range []string{
		"\n## Less steel, more wood\n", "\n> I have waited",
		"[The plan of 2024](https://s.example/2024/plan.html) had asked",
		"![The bridge at dawn](https://s.example/img/bridge.jpg)",
	} {
		if !strings.Contains(markdown, want) {
			t.Errorf("%q is not in\n%s", want, markdown)
		}
	}
	markdown = field(extract(t, New(), read(t, "testdata/howto.html")).Records[0], "markdown").(string)
	for _, want := range []string{
		"1. Flatten the back", "- the burr must be felt", "| Pine | 25 degrees | about forty |",
		"```\nimport math\n\ndef projection(height, angle):\n    return height",
	} {
		if !strings.Contains(strings.Join(strings.FieldsFunc(markdown, func(r rune) bool { return r == '\r' }), ""), want) {
			t.Errorf("%q is not in\n%s", want, markdown)
		}
	}
}

// The pages that have no article.
func TestNoArticle(t *testing.T) {
	var list strings.Builder
	for i := range 10 {
		fmt.Fprintf(&list, "<article><h2><a href=x>%s</a></h2><p>%s</article>", prose(10*i, 8), prose(10*i+1, 25))
	}
	for name, c := range map[string]struct {
		body    string
		records int
	}{
		"nothing":                {"", 0},
		"short":                  {"<p>Not much to say.</p>", 0},
		"links":                  {"<ul>" + strings.Repeat("<li><a href=x>A link that is long enough to be taken for a sentence of its own.</a>", 30) + "</ul>", 0},
		"a list":                 {list.String(), 0},
		"a list that is one":     {"<meta property=og:type content=article>" + list.String(), 1},
		"an article with others": {"<article><p>" + prose(200, 150) + "<p>" + prose(201, 150) + "<p>" + prose(202, 150) + "</article>" + list.String(), 1},
		"comments as articles":   {"<main><p>" + prose(200, 150) + "</main>" + strings.Repeat("<article class=comment><p>I agree.</article>", 9), 1},
	} {
		for engine := range leastF1 {
			x := New()
			x.Engine = engine
			if r := extract(t, x, c.body); len(r.Records) != c.records {
				t.Errorf("%s, %s: %d records: %v", name, engine, len(r.Records), r.Records)
			}
		}
	}
}

// Records are the same in every run, and the shared tree stays as it is.
func TestSameAgain(t *testing.T) {
	ld := `<script type=application/ld+json>{"@type":"NewsArticle","a":{"@type":"Person","name":"A B"},"b":{"@type":"Person","name":"C D"},"author":[{"name":"E F"},{"name":"G H"}]}</script>`
	for engine := range leastF1 {
		want := ""
		for range 30 {
			x := New()
			x.Engine = engine
			if got := fmt.Sprint(extract(t, x, ld+read(t, "testdata/howto.html")).Records); want == "" {
				want = got
			} else if got != want {
				t.Fatalf("%s: got\n%s\nthen\n%s", engine, want, got)
			}
		}
	}
}

func TestTreeStays(t *testing.T) {
	for engine := range leastF1 {
		x := New()
		x.Engine = engine
		p := page(t, read(t, "testdata/news.html"))
		doc, err := p.Document()
		if err != nil {
			t.Fatal(err)
		}
		before, _ := doc.Html()
		if err := x.Extract(context.Background(), p, crawler.NewEmitter("article", p, &crawler.Result{})); err != nil {
			t.Fatal(err)
		}
		if after, _ := doc.Html(); after != before {
			t.Errorf("%s changed the page's tree", engine)
		}
	}
}

// Pages that would keep an engine busy are refused, at once.
func TestHeavyPages(t *testing.T) {
	words := "The quick brown fox jumps over the lazy dog and runs into the wood. "
	for name, body := range map[string]string{
		"nodes":    strings.Repeat("<div>", 9) + strings.Repeat("<p><b>x</b></p></div><div>", 40_000),
		"nested":   strings.Repeat(strings.Repeat("<div>", 400)+strings.Repeat("</div>", 400), 50),
		"siblings": strings.Repeat("<i>x</i>", 20_000),
		"lists":    strings.Repeat(strings.Repeat("<ul><li>"+words, 200)+strings.Repeat("</ul>", 200), 5),
		"text":     "<p>" + strings.Repeat(words, 70_000),
		"joined":   strings.Repeat("<div><p>"+words+words+words+words+"</div>", 9_000),
	} {
		if _, err := try(t, New(), pageURL, body); !errors.Is(err, errTooHeavy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An engine that panics costs its record alone.
func TestPanicIsAnError(t *testing.T) {
	engines["broken"] = func(*html.Node, string) (finding, error) { panic("nil") }
	defer delete(engines, "broken")
	x := New()
	x.Engine = "broken"
	if _, err := try(t, x, pageURL, "<p>x"); err == nil || !strings.Contains(err.Error(), "the engine failed") {
		t.Errorf("got %v", err)
	}
}

func TestMistakes(t *testing.T) {
	err := (&Article{Engine: "best", MinLength: -1}).Validate()
	for _, key := range []string{"engine", "min_length"} {
		if err == nil || !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%s is not told: %v", key, err)
		}
	}
	if err := New().Validate(); err != nil {
		t.Error(err)
	}
}

// ours are the characters that the thorough engine marks links by.
func ours(r rune) bool { return 0xF0000 <= r && r <= 0xFFFFD }

func FuzzArticle(f *testing.F) {
	for _, page := range []string{"news", "howto", "divs", "shell"} {
		f.Add(read(f, "testdata/"+page+".html"))
	}
	f.Add("<article><ul><li>a<ul><li>b</ul><table><tr><td><ul><li>c</table><pre lang=x>d\n</pre><q>e<details><summary>f<br>g")
	f.Add(`<script type=application/ld+json>{"@type":"Article","@id":"a","author":{"@id":"a"},"image":[[]],"articleBody":"<p>x</p>"}</script>`)
	f.Fuzz(func(t *testing.T, body string) {
		for engine := range leastF1 {
			x := New()
			x.Engine, x.MinLength = engine, 1
			r, err := try(t, x, pageURL, body)
			if err != nil {
				continue
			}
			for _, rec := range r.Records {
				if len(rec.Fields) != len(x.FieldNames()) {
					t.Fatalf("%d fields", len(rec.Fields))
				}
				text := field(rec, "text").(string)
				if text == "" || engine == engineThorough && strings.ContainsFunc(text, ours) || !utf8.ValidString(text) && utf8.ValidString(body) {
					t.Fatalf("%s: the text is %q", engine, text)
				}
			}
		}
	})
}

// prose is a text of n words, another one for each seed.
func prose(seed, n int) string {
	words := strings.Fields("wind harbour lamp stone winter bread letter river quiet seven lantern bridge copper field sailor")
	out := make([]string, n)
	for i := range out {
		out[i] = words[(seed*7+i*i+i*seed)%len(words)] + string(rune('a'+(seed+i)%26))
		if i%12 == 11 {
			out[i] += ","
		}
	}
	return strings.Join(out, " ") + "."
}
