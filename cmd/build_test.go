package cmd

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/fixtures"
)

// A plugin in a module of its own is compiled in without network, and is served
// as amble's own are: by lint, schema, plugins and run.
func TestBuildWithPlugin(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a binary")
	}
	t.Parallel()
	work := t.TempDir()
	plugin := filepath.Join(work, "plugin")
	if err := os.CopyFS(plugin, os.DirFS("../docs/plugin-template")); err != nil {
		t.Fatal(err)
	}
	needGo(t)

	testOwnTests(t, plugin)
	amble := filepath.Join(work, "amble")
	said := command(t, work, 0, "amble", "build", "--with", "example.com/wordcount=plugin", "--tags", "full", "--output", "amble")
	if !strings.Contains(said, "built "+amble+" with example.com/wordcount, the tags full") {
		t.Errorf("build said: %s", said)
	}

	web, err := fixtures.Start(context.Background(), fixtures.Options{Hosts: []string{"news.example"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = web.Close() })
	crawl := `
name: words
seeds: http://` + web.Hosts()[0].Addr + `/
politeness: {contact: "https://me.example/bot", delay: 0s}
fetch: {allow_private: true}
extract:
  text: {plugin: wordcount, css: h1}
  article: {plugin: article, engine: thorough}
output: {jsonl: "{type}.jsonl"}
`
	writeFile(t, filepath.Join(work, "words.yaml"), crawl)
	writeFile(t, filepath.Join(work, "bad.yaml"), strings.Replace(crawl, "css: h1", "css: 'h1['", 1))

	command(t, work, 0, amble, "lint", "words.yaml")
	if said := command(t, work, 2, amble, "lint", "bad.yaml"); !strings.Contains(said, "bad.yaml:7:") {
		t.Errorf("lint does not name the place: %s", said)
	}
	if said := command(t, work, 0, amble, "schema"); !strings.Contains(said, `"wordcount"`) {
		t.Error("the schema does not know the plugin")
	}
	if said := command(t, work, 0, amble, "plugins", "wordcount"); !strings.Contains(said, "the element to count in") {
		t.Errorf("plugins does not know the plugin's keys: %s", said)
	}
	command(t, work, 0, amble, "run", "words.yaml")
	records, err := os.ReadFile(filepath.Join(work, "text.jsonl"))
	if err != nil || strings.Count(string(records), `"words":`) < 40 {
		t.Errorf("%d bytes of records, %v", len(records), err)
	}
}

// A plugin that fails before main leaves no binary behind.
func TestBuildOfPanickingPlugin(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a binary")
	}
	t.Parallel()
	work := t.TempDir()
	needGo(t)
	writeFile(t, filepath.Join(work, "go.mod"), "module example.com/taken\n\ngo 1.26.0\n")
	writeFile(t, filepath.Join(work, "taken.go"), `package taken

import "github.com/amblecrawl/amble/extractors"

func init() { extractors.Register("selectors", func() extractors.Extractor { return nil }) }
`)
	said := command(t, work, 1, "amble", "build", "--with", "example.com/taken=.", "-o", "custom")
	if !strings.Contains(said, `does not start, and was removed: panic: extractor "selectors" is registered twice`) {
		t.Errorf("build said: %s", said)
	}
	if _, err := os.Stat(filepath.Join(work, "custom")); err == nil {
		t.Error("the binary is still there")
	}
}

// offline keeps the Go tool from the network. What it is to link, `make vet` has
// compiled, also for -tags full.
var offline = []string{"GOPROXY=off", "GOFLAGS=-buildvcs=false -ldflags=-w"}

func needGo(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go on the PATH")
	}
}

// testOwnTests runs the template's tests as its author would.
func testOwnTests(t *testing.T, plugin string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(plugin, "go.sum"), string(sums))
	command(t, plugin, 0, "go", "mod", "edit", "-replace=github.com/amblecrawl/amble="+root)
	command(t, plugin, 0, "go", "test", "-mod=mod", "./...")
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command runs a program, which must exit with code, and returns what it said.
func command(t *testing.T, dir string, code int, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), offline...)
	said, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%s %s: exit status %d (%v), want %d\n%s", filepath.Base(name), strings.Join(args, " "), got, err, code, said)
	}
	return string(said)
}
