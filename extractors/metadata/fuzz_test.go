package metadata

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// fuzz holds that an extractor makes of any page records that outputs can write,
// no larger than a few times the page, and the same each time.
func fuzz(f *testing.F, samples string, ids ...string) {
	all, err := filepath.Glob("testdata/pages/" + samples)
	if err != nil || len(all) == 0 {
		f.Fatal(len(all), err)
	}
	for _, page := range all {
		body, err := os.ReadFile(page)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
	f.Add("<b itemscope><a itemprop=name>") // a property without a value
	f.Fuzz(func(t *testing.T, body string) {
		for _, id := range ids {
			r := try(t, plugin(t, id), body)
			n := 0
			for _, rec := range r.Records {
				if len(rec.Fields) == 0 {
					t.Errorf("%s makes an empty record of %q", id, body)
				}
				if wrong := unfit(rec.Fields); wrong != "" {
					t.Errorf("%s makes %s of %q", id, wrong, body)
				}
				n += size(rec.Fields)
			}
			if n > 3<<20+10*len(body) {
				t.Errorf("%s makes %d octets of %q", id, n, body)
			}
			if again := try(t, plugin(t, id), body); lines(again) != lines(r) {
				t.Errorf("%s makes\n%s\nand then\n%s\nof %q", id, lines(r), lines(again), body)
			}
		}
	})
}

// unfit names a value that a record must not hold.
func unfit(v any) string {
	switch v := v.(type) {
	case nil, string, bool, int64, float64:
		return ""
	case json.RawMessage:
		if json.Valid(v) {
			return ""
		}
	case []any:
		for _, e := range v {
			if wrong := unfit(e); wrong != "" {
				return wrong
			}
		}
		return ""
	case []crawler.Field:
		for _, f := range v {
			if wrong := unfit(f.Value); wrong != "" || f.Name == "" {
				return f.Name + " " + wrong
			}
		}
		return ""
	}
	return fmt.Sprintf("%T(%v)", v, v)
}

func FuzzJSONLD(f *testing.F)       { fuzz(f, "x-[gmc]*.html", "jsonld") }
func FuzzMicrodata(f *testing.F)    { fuzz(f, "x-[ml]*.html", "microdata") }
func FuzzRDFa(f *testing.F)         { fuzz(f, "*rdfa.html", "rdfa") }
func FuzzOpenGraph(f *testing.F)    { fuzz(f, "x-o*.html", "opengraph") }
func FuzzMicroformats(f *testing.F) { fuzz(f, "x-mf*.html", "microformats2") }
func FuzzMerged(f *testing.F)       { fuzz(f, "x-*.html", "product", "article-meta", "event") }
