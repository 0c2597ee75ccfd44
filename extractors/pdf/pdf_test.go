package pdf

import (
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func try(ctx context.Context, t testing.TB, x *PDF, media, body string) (*crawler.Result, error) {
	t.Helper()
	u, err := urls.Parse("https://s.example/report.pdf")
	if err != nil {
		t.Fatal(err)
	}
	p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{Body: []byte(body), MediaType: media})
	r := &crawler.Result{}
	err = x.Extract(ctx, p, crawler.NewEmitter("doc", p, r))
	return r, err
}

// found is one line a record and error: name=value pairs, nulls left out.
func found(t testing.TB, x *PDF, body string) string {
	t.Helper()
	r, err := try(t.Context(), t, x, "application/pdf", body)
	var lines []string
	for _, rec := range r.Records {
		var parts []string
		for _, f := range rec.Fields {
			if f.Value != nil {
				parts = append(parts, fmt.Sprintf("%s=%v", f.Name, f.Value))
			}
		}
		lines = append(lines, strings.Join(parts, "|"))
	}
	for _, e := range r.Errors {
		lines = append(lines, "! "+e.Err.Error())
	}
	if err != nil {
		lines = append(lines, "!! "+err.Error())
	}
	return strings.Join(lines, "\n")
}

const (
	whole = "/Title (Trees \\(in spring\\)) /Author <FEFF004C00E9006F> /Subject (On oaks) /Keywords (oak, ash) " +
		"/CreationDate (D:20260301093015+01'00') /ModDate (D:20260302)"
	wholeFound = "title=Trees (in spring)|author=Léo|subject=On oaks|keywords=oak, ash|" +
		"created=2026-03-01T09:30:15+01:00|modified=2026-03-02|language=en-GB|"
)

// unicodeText is a page in a font whose codes are glyphs and mean what a table says.
func unicodeText() *written {
	w := report("", "", "x")
	w.objects[2] = "<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 8 0 R >>"
	w.add("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 7 0 R /DW 600 >>")
	w.add("<< /Type /FontDescriptor /FontName /Any /Flags 4 /FontBBox [0 0 600 800] /ItalicAngle 0 /Ascent 800 /Descent 0 /CapHeight 700 /StemV 80 >>")
	w.stream("", "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n"+
		"3 beginbfchar <0001> <0141> <0002> <00660069> <0003> <D83DDE00> endbfchar\n1 beginbfrange <0010> <0012> <4E00> endbfrange\nendcmap end end\n")
	content := deflated("BT /F1 12 Tf 72 700 Td <00010002001000110003> Tj ET")
	w.objects[4] = fmt.Sprintf("<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", len(content), content)
	return w
}

func TestPDF(t *testing.T) {
	two := []string{"First page,\nof \x80 12 and na\xefve words", "Second (and last)"}
	for name, c := range map[string]struct {
		x    PDF
		body string
		want string
	}{
		"a document": {PDF{}, report("/Lang (en-GB)", whole, two...).file(),
			wholeFound + "pages=2|text=First page,\nof € 12 and naïve words\n\nSecond (and last)"},
		"compressed objects": {PDF{}, report("/Lang (en-GB)", whole, two...).packed(""),
			wholeFound + "pages=2|text=First page,\nof € 12 and naïve words\n\nSecond (and last)"},
		"its pages": {PDF{Each: "page"}, report("", "/Title (T)", "One", "", "Three").file(),
			"title=T|page=1|pages=3|text=One\ntitle=T|page=2|pages=3\ntitle=T|page=3|pages=3|text=Three"},
		"at most":           {PDF{MaxPages: 1}, report("", "", two...).file(), "pages=2|text=First page,\nof € 12 and naïve words\n! more than 1 pages (max_pages): the rest was left out"},
		"a table of glyphs": {PDF{}, unicodeText().file(), "pages=1|text=Łfi一丁😀"},
		"no dates": {PDF{}, report("", "/CreationDate (in spring)", "x").file(),
			"pages=1|text=x\n! not a date in a known format"},
		"a preface of the server's": {PDF{}, "\r\n\r\n" + report("", "", "x").file(), "pages=1|text=x"},
		"broken words":              {PDF{}, report("", "", "a hyphen-\nated word").file(), "pages=1|text=a hyphen-ated word"},
		"not a PDF":                 {PDF{}, "<!doctype html><p>Please log in", "!! reading the PDF: this is no PDF, or one too damaged to read"},
		"nothing":                   {PDF{}, "", "!! reading the PDF: this is no PDF, or one too damaged to read"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := found(t, &c.x, c.body); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestEncrypted(t *testing.T) {
	w := report("", "", "secret")
	w.trailer = fmt.Sprintf("/ID [<00><00>] /Encrypt %d 0 R", w.add("<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>",
		strings.Repeat("11", 32), strings.Repeat("22", 32)))
	if got, want := found(t, &PDF{}, w.file()), "!! reading the PDF: it is encrypted, and opens with a password alone"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What servers call a PDF, and what they call by a general name.
func TestTypes(t *testing.T) {
	body := report("", "", "x").file()
	for media, want := range map[string]int{
		"application/pdf": 1, "application/x-pdf": 1, "application/octet-stream": 1, "text/html": 0, "application/zip": 0,
	} {
		if r, err := try(t.Context(), t, &PDF{}, media, body); err != nil || len(r.Records) != want {
			t.Errorf("%s: %d records, %v", media, len(r.Records), err)
		}
	}
	if r, err := try(t.Context(), t, &PDF{}, "application/octet-stream", "PK\x03\x04"); err != nil || len(r.Records) != 0 {
		t.Errorf("%d records of an archive, %v", len(r.Records), err)
	}
}

func TestDates(t *testing.T) {
	for said, want := range map[string]string{
		"D:20260301":              "2026-03-01",
		"D:2026030109":            "2026-03-01T09:00:00Z",
		"D:202603010930":          "2026-03-01T09:30:00Z",
		"D:20260301093015":        "2026-03-01T09:30:15Z",
		"D:20260301093015Z":       "2026-03-01T09:30:15Z",
		"D:20260301093015Z00'00'": "2026-03-01T09:30:15Z",
		"D:20260301093015-05'30'": "2026-03-01T09:30:15-05:30",
		"D:20260301093015-05'30":  "2026-03-01T09:30:15-05:30",
		"D:20260301093015+01":     "2026-03-01T09:30:15+01:00",
		"20260301093015+00'00'":   "2026-03-01T09:30:15Z",
		"1 March 2026":            "2026-03-01",
		"D:20261301":              "",
		"D:2026":                  "",
		"D:":                      "",
	} {
		if got, err := parseDate(said); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v, want %q", said, got, err, want)
		}
	}
}

// patience is how long a hostile document is let work.
const patience = time.Second

// A form that draws the next one ten times, twelve deep, and pages and tables that
// lead to themselves.
func hostile() map[string]string {
	laughs := report("", "", "x")
	laughs.objects[3] = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >> /Contents 5 0 R >>"
	draw := deflated("/X Do")
	laughs.objects[4] = fmt.Sprintf("<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", len(draw), draw)
	for i := range 12 {
		laughs.stream(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 3 0 R >> /XObject << /X %d 0 R >> >>", 7+i),
			strings.Repeat(strings.Repeat("q Q ", 20_000)+"/X Do ", 10)) // long work that takes little memory
	}
	laughs.stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 3 0 R >> >>", shown("ha"))

	kids := report("", "", "x")
	kids.objects[1] = "<< /Type /Pages /Kids [2 0 R 4 0 R] /Count 9 /Parent 2 0 R >>"
	parent := report("", "", "x")
	parent.objects[1] = "<< /Type /Pages /Kids [4 0 R] /Count 1 /Parent 4 0 R >>"
	parent.objects[3] = "<< /Type /Page /Parent 2 0 R /Contents 5 0 R >>"
	lie := report("", "", "x")
	lie.objects[1] = "<< /Type /Pages /Kids [4 0 R] /Count 2147483647 >>"
	self := report("", "", "x")
	self.objects[4] = "<< /Length 5 0 R >>\nstream\nBT\nendstream"
	bomb := report("", "", strings.Repeat("boom ", 40<<20/5))
	many := report("", "", "x")
	for range 100_000 {
		many.add("<< /A [1 2 3] >>")
	}
	pages := report("", "", "x")
	pages.objects[1] = "<< /Type /Pages /Kids [" + strings.Repeat("4 0 R ", 20_000) + "] /Count 20000 >>"
	deep := report("", strings.Repeat("/A << ", 100_000), "x")
	loop := report("", "", "x").file()
	at := strings.Index(loop, "xref\n0")
	return map[string]string{
		"laughs": laughs.file(), "kids": kids.file(), "parent": parent.file(), "lie": lie.file(), "self": self.file(),
		"bomb": bomb.file(), "many": many.file(), "pages": pages.file(), "deep": deep.file(),
		"extends": report("", "", "x").packed("/Extends 6 0 R"),
		"prev":    strings.Replace(loop, "/Root 1 0 R", fmt.Sprintf("/Root 1 0 R /Prev %d", at), 1),
	}
}

// Whatever a document does ends with the time that it has, and the next one is read.
func TestHostile(t *testing.T) {
	if err := prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, body := range hostile() {
		t.Run(name, func(t *testing.T) {
			cause := errors.New("out of time")
			ctx, cancel := context.WithTimeoutCause(t.Context(), patience, cause)
			defer cancel()
			r, err := try(ctx, t, &PDF{MaxPages: 50}, "application/pdf", body)
			if err != nil && len(r.Records) > 0 {
				t.Errorf("%d records and an error: %v", len(r.Records), err)
			}
			t.Logf("%d records, %v %v", len(r.Records), r.Errors, err)
			if got := found(t, &PDF{}, report("", "", "next").file()); got != "pages=1|text=next" {
				t.Errorf("the next document: %s", got)
			}
		})
	}
}

// A document that ends anywhere gives its record or an error.
func TestCutOff(t *testing.T) {
	body := report("/Lang (en-GB)", whole, "One", "Two").packed("")
	for n := 0; n < len(body); n += len(body)/20 + 1 {
		if got := found(t, &PDF{}, body[:n]); !strings.HasPrefix(got, "!! reading the PDF") && !strings.Contains(got, "pages=") {
			t.Errorf("cut off at %d: %s", n, got)
		}
	}
}

// Work that has no end ends with its time, in the middle of a page.
func TestTimeEndsTheWork(t *testing.T) {
	if err := prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("out of time")
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, cause)
	defer cancel()
	r, err := try(ctx, t, &PDF{}, "application/pdf", hostile()["laughs"])
	if !errors.Is(err, cause) || len(r.Records) != 0 {
		t.Errorf("%d records, %v", len(r.Records), err)
	}
}

func TestValidate(t *testing.T) {
	err := (&PDF{Each: "line", MaxPages: -1}).Validate()
	if err == nil || !strings.Contains(err.Error(), "each") || !strings.Contains(err.Error(), "max_pages") {
		t.Error(err)
	}
}

// FuzzPDF damages documents. The fuzzer sees nothing of the reader, which is
// WebAssembly: no new input is ever of interest to it by what PDFium does with it. So
// the inputs are not documents but the damage that is done to one of these, whose
// tokens it moves, doubles, swaps and takes numbers of, or octets.
func FuzzPDF(f *testing.F) {
	if err := prepare(f.Context()); err != nil { // here, since an input has ten seconds
		f.Fatal(err)
	}
	documents := []string{
		report("/Lang (en-GB)", whole, "One", "Two").file(), report("", whole, "One").packed(""), unicodeText().file(),
		report("", whole, "One").packed("/Extends 6 0 R"), plain(unicodeText()).file(), plain(report("", "/Title (T)", "One\nTwo")).file(),
		"%PDF-1.4\ntrailer<</Root 1 0 R>>",
	}
	for i := range documents {
		f.Add(uint8(2*i), []byte{})
		f.Add(uint8(2*i+1), []byte{0, 3, 7, 1, 9, 30, 2, 12, 200, 3, 40, 9, 4, 100, 255})
	}
	f.Fuzz(func(t *testing.T, which uint8, damage []byte) {
		if len(damage) > 300 {
			return
		}
		body := []byte(damaged(documents[int(which/2)%len(documents)], damage))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		x := &PDF{} // an instance for each input is most of the work
		if which%2 == 1 {
			x = &PDF{Each: "page", MaxPages: 3}
		}
		r, _ := try(ctx, t, x, "application/pdf", string(body))
		for _, rec := range r.Records {
			for _, field := range rec.Fields {
				if s, ok := field.Value.(string); ok && !utf8.ValidString(s) {
					t.Errorf("%s is not UTF-8: %q", field.Name, s)
				}
			}
			if _, err := json.Marshal(rec.Fields); err != nil {
				t.Error(err)
			}
		}
	})
}

// plain is a document whose streams are not compressed, so that damage meets what is
// in them.
func plain(w *written) *written {
	for i, o := range w.objects {
		head, rest, ok := strings.Cut(o, "\nstream\n")
		if !ok {
			continue
		}
		z, err := zlib.NewReader(strings.NewReader(rest))
		if err != nil {
			continue
		}
		text, err := io.ReadAll(z)
		if err != nil {
			continue
		}
		head = strings.Replace(head, "/Filter /FlateDecode ", "", 1)
		head = head[:strings.Index(head, "/Length")]
		w.objects[i] = fmt.Sprintf("%s/Length %d >>\nstream\n%s\nendstream", head, len(text), text)
	}
	return w
}

// pdfTokens are names, numbers, brackets and whatever else stands together.
var pdfTokens = regexp.MustCompile(`[/\w.+-]+|<<|>>|\s+|[^\s/\w]`)

// numbers are those that readers trip over.
var numbers = []string{"0", "-1", "1", "2", "3", "5", "65535", "65536", "2147483647", "2147483648", "-2147483648", "4294967295", "99999999999999999999", "1e9", "0.0001"}

// damaged changes a document in steps of three octets: what to do, where, and with what.
func damaged(document string, damage []byte) string {
	for ; len(damage) >= 3; damage = damage[3:] {
		what, where, with := damage[0]%7, int(damage[1]), int(damage[2])
		if what == 6 {
			at := (where<<8 | with) % (len(document) + 1)
			document = document[:at] + string(damage[:1]) + document[min(at+1, len(document)):]
			continue
		}
		tokens := pdfTokens.FindAllString(document, -1)
		if len(tokens) == 0 {
			return document
		}
		// Two octets name a place among many tokens, by their share of them.
		at, other := where*len(tokens)/256, with*len(tokens)/256
		switch what {
		case 0:
			tokens[at], tokens[other] = tokens[other], tokens[at]
		case 1:
			tokens[at] = ""
		case 2:
			tokens[at] = strings.Repeat(tokens[at]+" ", 1+with)
		case 3: // the number that follows
			for ; at < len(tokens); at++ {
				if c := tokens[at][0]; c >= '0' && c <= '9' {
					tokens[at] = numbers[with%len(numbers)]
					break
				}
			}
		case 4:
			tokens[at] += " " + tokens[other]
		case 5: // what is between two places, a second time
			if at < other {
				tokens[other] += strings.Join(tokens[at:other], "")
			}
		}
		if document = strings.Join(tokens, ""); len(document) > 1<<18 {
			return document[:1<<18]
		}
	}
	return document
}
