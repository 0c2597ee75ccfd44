// Package docs holds what the documentation says to the code: the arrows
// between packages, the classes of outcomes, the links between pages.
package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/amblecrawl/amble/"

// arrows says which packages of ours a package may import. The first line that
// fits a package counts. "x/..." is x and everything below it.
var arrows = []struct{ from, to string }{
	{"cmd/version", ""},
	{"cmd/format", ""},
	{"cmd/exit", "crawler crawler/config crawler/frontier politeness/ledger"},
	{"cmd/cli", "cmd/exit cmd/version crawler/..."},
	{"cmd/polite", "crawler/... extractors/... politeness/..."},
	{"cmd/crawl", "cmd/exit cmd/format cmd/polite cmd/version crawler/... extractors/... politeness/..."},
	{"cmd/report", "cmd/exit cmd/format crawler/..."},
	{"cmd/execution", "cmd/crawl cmd/exit cmd/polite cmd/report cmd/version crawler/... extractors/simhash politeness/..."},
	{"cmd/draft", "cmd/cli cmd/crawl cmd/exit cmd/format crawler/... extractors/... politeness/..."},
	{"cmd/explain", "cmd/cli cmd/crawl cmd/exit cmd/format cmd/polite cmd/version crawler/... politeness/..."},
	{"cmd/plan", "cmd/cli cmd/crawl cmd/exit cmd/format cmd/polite cmd/version crawler/... extractors/feeds politeness/..."},
	{"cmd/saved", "cmd/cli cmd/crawl cmd/exit cmd/format cmd/polite crawler/..."},
	{"cmd/robots", "cmd/cli cmd/crawl cmd/exit cmd/format crawler/... politeness/..."},
	{"cmd/run", "cmd/cli cmd/execution cmd/exit cmd/format cmd/report crawler/..."},
	{"cmd/state", "cmd/cli cmd/exit cmd/format cmd/polite cmd/version crawler/... politeness/ledger"},
	{"cmd/try", "cmd/cli cmd/crawl cmd/exit cmd/format cmd/polite crawler/... extractors/..."},
	{"cmd/serve", "cmd/cli cmd/crawl cmd/execution cmd/exit cmd/format cmd/polite cmd/report cmd/version crawler/... politeness/..."},
	{"cmd/runs", "cmd/cli cmd/exit cmd/format cmd/report cmd/serve crawler/..."},
	{"cmd/build", ""},
	{"cmd/standard", "crawler/sink/... extractors/..."},
	{"cmd", "..."},
	{"cmd/amble", "cmd"},
	{"docs", ""},

	{"crawler/urls", ""},
	{"crawler", "crawler/urls"},
	{"crawler/config", "crawler crawler/alert crawler/bucket crawler/download crawler/query crawler/rows crawler/rows/parquet crawler/schedule crawler/trust crawler/urls"},
	{"crawler/rows/parquet", "crawler crawler/rows"},
	{"crawler/fetch/database", "crawler crawler/query crawler/urls"},
	{"crawler/sink/...", "crawler/sink/... crawler crawler/bucket crawler/urls"},
	{"crawler/bucket", ""},
	{"crawler/download", "crawler crawler/bucket crawler/urls"},
	{"crawler/fetch/blob", "crawler crawler/bucket crawler/download crawler/urls"},
	{"crawler/daemon", "crawler/history crawler/schedule"},
	{"crawler/dashboard", "crawler crawler/daemon crawler/history crawler/monitor"},
	{"crawler/...", "crawler crawler/urls"},

	{"extractors", "extractors/markup crawler crawler/urls"},
	{"extractors/markup", ""},
	{"extractors/values", "crawler/urls"},
	{"extractors/query", "extractors/values crawler crawler/urls"},
	{"extractors/metadata/item", "crawler crawler/urls"},
	{"extractors/metadata/...", "extractors/metadata/... extractors/markup extractors/values crawler crawler/urls"},
	{"extractors/dates", "extractors/values crawler/urls"},
	{"extractors/structured", "extractors extractors/markup extractors/values extractors/query crawler crawler/urls politeness/signals"},
	{"extractors/...", "extractors extractors/markup extractors/values extractors/query crawler crawler/urls"},

	{"politeness/robots", ""},
	{"politeness/identity", ""},
	{"politeness/signals", ""},
	{"politeness", "politeness/robots"},
	{"politeness/ledger", "politeness/robots"},

	{"fixtures/...", "fixtures/..."},
}

// alone says which package tree, and no other, imports a heavy module outside
// of tests. The benchmark's rivals are programs of their own.
var alone = []struct{ module, home string }{
	{"github.com/markusmobius/go-trafilatura", "extractors/article"},
	{"codeberg.org/readeck/go-readability/v2", "extractors/article"},
	{"github.com/antchfx/xmlquery", "extractors/xmldoc"},
	{"github.com/klippa-app/go-pdfium", "extractors/pdf"},
	{"github.com/tetratelabs/wazero", "extractors/pdf"},
	{"github.com/gocolly/colly/v2", "crawler/fetch fixtures/bench"},
	{"github.com/cockroachdb/pebble/v2", "crawler/frontier"},
	{"github.com/nlnwa/whatwg-url", "crawler/urls"},
	{"github.com/temoto/robotstxt", "politeness/robots"},
	{"github.com/mmcdole/gofeed", "extractors/feeds"},
	{"github.com/theory/jsonpath", "extractors/query"},
	{"github.com/itchyny/gojq", "extractors/query"},
	{"github.com/markusmobius/go-dateparser", "extractors/dates"},
	{"github.com/goccy/go-yaml", "crawler/config"},
	{"github.com/santhosh-tekuri/jsonschema/v6", "crawler/trust"},
	{"github.com/robfig/cron/v3", "crawler/schedule"},
	{"golang.org/x/oauth2", "crawler/auth crawler/bucket"},
	{"github.com/aws/aws-sdk-go-v2", "crawler/bucket"},
	{"github.com/johannesboyne/gofakes3", "fixtures/shelf"},
	{"gocloud.dev", "crawler/bucket"},
	{"cloud.google.com/go/storage", "crawler/bucket"},
	{"github.com/Azure/azure-sdk-for-go/sdk", "crawler/bucket"},
	{"github.com/parquet-go/parquet-go", "crawler/sink/parquet crawler/rows/parquet"},
	{"modernc.org/sqlite", "crawler/sink/sqlite crawler/history crawler/fetch/database"},
	{"github.com/jackc/pgx/v5", "crawler/sink/postgres crawler/fetch/database"},
	{"github.com/go-sql-driver/mysql", "crawler/fetch/database"},
	{"github.com/prometheus/client_golang", "crawler/monitor"},
	{"go.opentelemetry.io/otel", "crawler/tracing"},
	{"github.com/spf13/cobra", "cmd"},
	{"github.com/vbauerster/mpb/v8", "cmd/run"},
}

func TestArrows(t *testing.T) {
	for from, imports := range packages(t) {
		allowed, known := allowedFrom(from)
		if !known {
			t.Errorf("%s is in no line of the table: say what it may import", from)
		}
		for _, imported := range imports {
			if to, ours := strings.CutPrefix(imported, module); ours && !fitsAny(to, allowed) {
				t.Errorf("%s imports %s, which it must not", from, to)
			}
		}
	}
}

func TestHeavyModulesAreAlone(t *testing.T) {
	for from, imports := range packages(t) {
		at := func(home string) bool { return fits(from, home+"/...") }
		for _, imported := range imports {
			for _, heavy := range alone {
				if fits(imported, heavy.module+"/...") && !slices.ContainsFunc(strings.Fields(heavy.home), at) {
					t.Errorf("%s imports %s, which belongs to %s alone", from, imported, heavy.home)
				}
			}
		}
	}
}

// What slows each start is in a build with -tags full alone.
func TestStandardBuildIsLight(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/amble")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(out))
	for _, heavy := range []string{"github.com/markusmobius/go-trafilatura", "github.com/markusmobius/go-dateparser", "gocloud.dev/blob"} {
		if slices.Contains(linked, heavy) {
			t.Errorf("the standard build is linked with %s", heavy)
		}
	}
	if !slices.Contains(linked, module+"extractors/article") {
		t.Error("the standard build has no article")
	}
}

// Packages for tests are used by tests; the rest of the program does without.
func TestSuitesAreForTests(t *testing.T) {
	for from, imports := range packages(t) {
		for _, imported := range imports {
			suite := imported == "testing" || strings.HasPrefix(imported, "pgregory.net/rapid") ||
				strings.HasPrefix(imported, module) && strings.HasSuffix(imported, "test")
			if suite && !strings.HasSuffix(from, "test") {
				t.Errorf("%s imports %s outside of its tests", from, imported)
			}
		}
	}
}

func allowedFrom(from string) (allowed []string, known bool) {
	for _, a := range arrows {
		if fits(from, a.from) {
			return strings.Fields(a.to), true
		}
	}
	return nil, false
}

func fitsAny(name string, patterns []string) bool {
	for _, p := range patterns {
		if fits(name, p) {
			return true
		}
	}
	return false
}

func fits(name, pattern string) bool {
	if pattern == "..." {
		return true
	}
	tree, whole := strings.CutSuffix(pattern, "/...")
	return name == tree || whole && strings.HasPrefix(name, tree+"/")
}

var listed map[string][]string // by packages, asked for once since go list takes its time

// packages lists what each package of the module imports outside of its tests.
// Packages that do not compile are listed too: to say so is the compiler's.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	if listed != nil {
		return listed
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags=full", "-json=ImportPath,Imports", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	all := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module)] = p.Imports
	}
	if len(all) < 5 {
		t.Fatalf("go list tells of %d packages only", len(all))
	}
	listed = all
	return all
}
