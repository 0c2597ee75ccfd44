package sink

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

func TestExpand(t *testing.T) {
	run := crawler.RunInfo{ID: "r-7", Started: time.Date(2024, 3, 1, 0, 30, 0, 0, time.FixedZone("", 3600))}
	got := expand("/data/{date}/{run}/{type}-{type}.jsonl", run, "book")
	if want := "/data/2024-02-29/r-7/book-book.jsonl"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := root("/data/x{date}/{type}.jsonl"); got != "/data" {
		t.Errorf("root is %s", got)
	}
	if got := root("/data/a.jsonl"); got != "/data" {
		t.Errorf("root of a plain path is %s", got)
	}
}

func TestCheckPath(t *testing.T) {
	for path, want := range map[string]string{
		"/out/{type}.jsonl":    "",
		"/out/plain":           "",
		"-":                    "",
		"":                     "no path",
		"/out/":                "is a folder",
		"s3://bucket/x.jsonl":  "is an address",
		"/out/\x00":            "NUL",
		"/out/{typ}.jsonl":     "none of {type}",
		"/out/{type.jsonl":     "none of {type}",
		"/out/type}.jsonl":     "none of {type}",
		"/out/{{type}}.jsonl":  "none of {type}",
		"/out/{type}{run}/{}x": "none of {type}",
		"/out/../{type}.jsonl": "",
		"/out/{type}/../a":     "goes up",
		"/out/x{run}/..":       "goes up",
		"/out/{type}/..a":      "",
	} {
		err := checkPath(path)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", path, err)
			}
			continue
		}
		var bad *crawler.ConfigError
		if !errors.As(err, &bad) || !strings.Contains(bad.Msg, want) || strings.Join(bad.Path, "") != "path" {
			t.Errorf("%q: %v, want a ConfigError with %q", path, err, want)
		}
	}
}

func TestCleanNameKeepsGoodNames(t *testing.T) {
	for _, name := range []string{"book", "Büch", "日本", "a-b_c.d", "console", "com10", "lpt", "x y", "हिन्दी"} {
		if got := cleanName(name); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
}

func TestCleanName(t *testing.T) {
	for name, prefix := range map[string]string{
		"": "_-", "..": "_._-", ".hidden": "_.hidden-", "a/b": "a_b-", `a\b`: "a_b-", "a:b": "a_b-", "nul": "_nul-",
		"COM1.x": "_COM1.x-", "lpt¹": "lpt_-", "end.": "end_-", "end ": "end_-", "a\x00\n\u202eb": "a___b-", "{type}": "_type_-",
	} {
		if got := cleanName(name); !strings.HasPrefix(got, prefix) {
			t.Errorf("%q became %q, want %q and a checksum", name, got, prefix)
		}
	}
	if cleanName("a/b") == cleanName("a:b") || cleanName("a/b") == cleanName("a_b") {
		t.Errorf("different types share a name")
	}
}

// Whatever a type is called, its file lies in the folder of the template.
func TestTypesStayInTheirFolder(t *testing.T) {
	parts := rapid.SampledFrom([]string{"..", "/", `\`, "\x00", "CON", "nul", ".", " ", "{run}", "{type}", "ü", "\xff", ":", "~"})
	names := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(parts), func(p []string) string { return strings.Join(p, "") }),
		rapid.StringN(100, 300, -1))
	rapid.Check(t, func(t *rapid.T) {
		name := names.Draw(t, "type")
		clean := cleanName(name)
		if len(clean) > maxName+12 || !utf8.ValidString(clean) || !filepath.IsLocal(clean) || reserved(clean) {
			t.Fatalf("%q became %q", name, clean)
		}
		path := expand("/out/{type}.jsonl", crawler.RunInfo{}, clean)
		if filepath.Dir(filepath.Clean(path)) != "/out" || strings.HasPrefix(filepath.Base(path), ".") {
			t.Fatalf("%q leads to %q", name, path)
		}
	})
}
