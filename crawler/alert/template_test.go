package alert

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTemplateIsWhatIsSent(t *testing.T) {
	m := Message{ID: "a-1-failure", Kind: Failure, Crawl: "a", Number: 1, Text: "it said \"no\"\n</b>", Pages: 3}
	made, err := ParseTemplate(`{"text": {{json .Text}}, "n": {{.Number}}{{if eq .Kind "failure"}}, "bad": true{{end}}}`)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	var kind string
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		kind = r.Header.Get("Content-Type")
	}))
	defer web.Close()
	if err := Deliver(t.Context(), Target{Webhook: web.URL, Timeout: time.Minute, Template: made, Type: "text/x-mine"}, m); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Text string
		N    int64
		Bad  bool
	}
	if err := json.Unmarshal(body, &got); err != nil || got.Text != m.Text || got.N != 1 || !got.Bad || kind != "text/x-mine" {
		t.Errorf("%s (%s): %v", body, kind, err)
	}
	out := filepath.Join(t.TempDir(), "out")
	plain, err := ParseTemplate("{{.Crawl}}: {{.Text}}\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := Deliver(t.Context(), Target{Command: []string{"sh", "-c", "cat > " + out}, Timeout: time.Minute, Template: plain}, m); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(out); string(text) != "a: "+m.Text+"\n" {
		t.Errorf("%q", text)
	}
}

// A template that could go on without end, or grow without bound, is refused.
func TestTemplatesAreBounded(t *testing.T) {
	for text, want := range map[string]string{
		"{{.Nothing}}":                                   "Nothing",
		"{{.Text":                                        "line 1",
		"{{range 1000000000}}{{end}}":                    "range",
		"{{range $i := .Text}}{{end}}":                   "range",
		`{{define "x"}}{{template "x"}}{{end}}`:          "define",
		`{{block "x" .}}y{{end}}`:                        "define",
		`{{template "template"}}`:                        "template",
		`{{printf "%999999999d" 1}}`:                     "printf",
		`{{if (printf "%999999999d" 1)}}x{{end}}`:        "printf",
		`{{with print (printf "%9d" 1)}}x{{end}}`:        "printf",
		`{{if true}}{{range 9}}x{{end}}{{end}}`:          "range",
		`{{if true}}{{else}}{{slice "x" 1}}{{end}}`:      "slice",
		`{{call .Text}}`:                                 "call",
		`{{index .Text 99}}`:                             "index",
		`{{json .At.Location.Nothing}}`:                  "Nothing",
		strings.Repeat("x", maxBody+1):                   "more than 64 KiB",
		`{{nothing .Text}}`:                              "nothing",
		"{{.Text" + strings.Repeat(" | json", 40) + "}}": "more than 64 KiB",
		"{{$x := .Text}}" + strings.Repeat("{{$x = print $x $x}}", 40) + "{{$x}}": "more than 64 KiB",
	} {
		if _, err := ParseTemplate(text); err == nil || !strings.Contains(err.Error(), want) || len(text) < 100 && strings.Contains(err.Error(), "template: template") {
			t.Errorf("%.60s: %v", text, err)
		}
	}
	for _, text := range []string{"", "plain", "{{/* said */}}{{with .Reason}}x{{end}}"} {
		if _, err := ParseTemplate(text); (err != nil) != strings.Contains(text, "Reason") {
			t.Errorf("%q: %v", text, err)
		}
	}
	long, err := ParseTemplate(strings.Repeat("{{.Text}}", 1000))
	if err != nil {
		t.Fatal(err)
	}
	err = Deliver(t.Context(), Target{Webhook: "http://127.0.0.1:1/", Timeout: time.Second, Template: long}, Message{Text: strings.Repeat("x", 1000)})
	if err == nil || !strings.Contains(err.Error(), "the template: it makes more than 64 KiB") {
		t.Error(err)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{`{"text": {{json .Text}}}`, "{{if eq .Kind \"failure\"}}{{.ID}}{{else}}{{with .Crawl}}{{.}}{{end}}{{end}}", "{{range 9}}", `{{print (len .Text) | urlquery}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		made, err := ParseTemplate(text)
		if err != nil {
			return
		}
		if body, err := made.body(&Message{Text: strings.Repeat("<", 2000)}); err == nil && len(body) > maxBody {
			t.Fatalf("%d bytes", len(body))
		}
	})
}
