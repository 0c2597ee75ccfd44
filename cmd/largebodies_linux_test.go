package cmd

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/garbage"
)

// catalogue is JSON as an API gives it: so many bytes of objects in a list.
func catalogue(size int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"total":7,"items":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"Some product %d","price":{"amount":"12.%02d","currency":"EUR"},"tags":["a","bc","def"],"sold":true,"text":"A few words that say what it is, and how it was made."}`, i, i, i%100)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// sameEverywhere is a crawl of hosts that all answer with one body.
func sameEverywhere(t *testing.T, hosts int, mediaType string, body []byte, asked func(), fetch, plugin string) *fixtureCrawl {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/all" {
			http.NotFound(w, r)
			return
		}
		asked()
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	text, resolve := "name: large\nseeds:\n", ""
	for h := range hosts {
		text += fmt.Sprintf("  - http://h%d.example/all\n", h)
		resolve += fmt.Sprintf("    h%d.example: %q\n", h, server.Listener.Addr())
	}
	text += "politeness: {contact: qa@shop.example, delay: 0s}\nextract: {doc: " + plugin + "}\noutput: [{jsonl: doc.jsonl}]\n" +
		"fetch:\n  allow_private: true\n  max_body: 50MiB\n" + fetch + "  resolve:\n" + resolve
	c := &fixtureCrawl{dir: t.TempDir(), name: "large"}
	c.config = filepath.Join(c.dir, "crawl.yaml")
	write(t, c.config, text)
	return c
}

// TestPageFloodOfJSON lets hosts send JSON of 36 MB that is read whole: where there is
// memory for it in fetch.memory it is read, one after the other, and else it is said
// what is missing. Item by item it needs little.
func TestPageFloodOfJSON(t *testing.T) {
	unraced(t)
	const hosts = 4
	body := catalogue(36 << 20)
	const whole = `{plugin: json, fields: {total: {jsonpath: $.total}, last: {jsonpath: "$.items[-1].id"}}}`
	for _, c := range []struct {
		name, fetch, env, plugin string
		records                  int64
		most                     int64
	}{
		{"room", "  memory: 1GiB\n", "GOMEMLIMIT=", whole, hosts, 1<<30 + garbage.OtherMemory},
		{"everything of it", "  memory: 1GiB\n", "GOMEMLIMIT=", "{plugin: json}", hosts, 1<<30 + garbage.OtherMemory},
		{"no room", "", "GOMEMLIMIT=", whole, 0, 256 << 20},
		{"a limit", "", "GOMEMLIMIT=128MiB", whole, 0, 128<<20 + garbage.OtherMemory},
		{"a limit, item by item", "", "GOMEMLIMIT=128MiB", `{plugin: json, each: {jsonpath: "$.items[*]"}, max_records: 100, fields: {id: {jsonpath: $.id}}}`, hosts * 100, 128<<20 + garbage.OtherMemory},
		{"a limit and selectors", "", "GOMEMLIMIT=128MiB", `{fields: {total: {jsonpath: $.total}}}`, 0, 128<<20 + garbage.OtherMemory},
	} {
		t.Run(c.name, func(t *testing.T) {
			crawl := sameEverywhere(t, hosts, "application/json", body, func() {}, c.fetch, c.plugin)
			p := crawl.startWith(t, c.env)
			peak := p.watchMemory()
			<-p.done
			if p.err != nil {
				t.Fatalf("amble run: %v\n%s", p.err, &p.out)
			}
			within(t, <-peak, c.most)
			s := readJSON[crawler.Summary](t, filepath.Join(crawl.dir, "summary.json"))
			if s.Pages != hosts || s.Records["doc"] != c.records {
				t.Errorf("the summary says %+v", s)
			}
			if said := strings.Contains(p.out.String(), "are left to it (fetch.memory)"); said != (c.records == 0) {
				t.Errorf("it says\n%s", &p.out)
			}
		})
	}
}

// TestPageFloodOfPDF lets hosts send PDF documents that grow in their reader's memory:
// once it is ready, the process stays near its limit.
func TestPageFloodOfPDF(t *testing.T) {
	unraced(t)
	const hosts = 8
	var draw bytes.Buffer
	z := zlib.NewWriter(&draw)
	_, _ = z.Write([]byte("BT /F 9 Tf " + strings.Repeat("(boom boom boom) Tj ", 2_000_000) + "ET"))
	_ = z.Close()
	body := fmt.Appendf(nil, "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"+
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"+
		"4 0 obj<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"+
		"trailer<</Root 1 0 R>>\n%%%%EOF\n", draw.Len(), draw.Bytes())
	var (
		once    sync.Once
		p       *process
		peak    <-chan int64
		started = make(chan struct{})
	)
	ready := func() { // PDFium is, when the first page is asked for
		once.Do(func() {
			<-started
			if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0); err != nil {
				t.Errorf("the peak cannot be forgotten: %v", err)
			}
			peak = p.watchMemory()
		})
	}
	c := sameEverywhere(t, hosts, "application/pdf", body, ready, "  memory: 64MiB\n", "{plugin: pdf}")
	p = c.startWith(t, "GOMEMLIMIT=")
	close(started)
	<-p.done
	if p.err != nil || peak == nil {
		t.Fatalf("amble run: %v\n%s", p.err, &p.out)
	}
	within(t, <-peak, 64<<20+2*garbage.OtherMemory)
	s := readJSON[crawler.Summary](t, filepath.Join(c.dir, "summary.json"))
	if s.Pages != hosts || s.Rejected["doc"] != hosts || !strings.Contains(p.out.String(), "are left to it (fetch.memory)") {
		t.Errorf("the summary says %+v\n%s", s, &p.out)
	}
}

// startWith starts the crawl with a variable in its environment.
func (c *fixtureCrawl) startWith(t *testing.T, variable string) *process {
	t.Helper()
	p := &process{crawl: c, cmd: c.command(t, "--summary", filepath.Join(c.dir, "summary.json")), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = &p.out, &p.out, append(os.Environ(), variable)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	return p
}
