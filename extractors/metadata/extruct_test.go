package metadata

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// corpora are documentation packages of Debian whose pages carry structured data,
// beside the pages of this package.
var corpora = []struct{ pkg, dir string }{
	{"libadwaita-1-doc", "/usr/share/doc/libadwaita-1"},
	{"python-scrapy-doc", "/usr/share/doc/python-scrapy-doc"},
	{"python-cryptography-doc", "/usr/share/doc/python-cryptography-doc"},
	{"libreoffice-help-en-us", "/usr/share/libreoffice/help/en-US"},
}

const perCorpus = 40

// Whatever Debian's python3-extruct finds on a page is found here, but for what
// excused lists.
func TestExtruct(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import extruct").CombinedOutput(); err != nil {
		t.Skipf("python3-extruct is not installed: %s", lastLine(out))
	}
	all := pages(t)
	for _, c := range corpora {
		found := documents(c.dir)
		if len(found) < perCorpus {
			t.Logf("%s is not installed: its pages are left out", c.pkg)
		}
		all = append(all, found...)
	}
	answers := ask(t, python, all)
	total := map[string][2]int{} // by syntax: facts, and those not found
	for i, page := range all {
		body, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range syntaxes {
			theirs := facts{}
			s.theirs(answers[i][s.name], theirs)
			ours := facts{}
			for _, r := range extract(t, s.extractor, body).Records {
				s.ours(r.Fields, ours)
			}
			n := total[s.name]
			n[0] += len(theirs)
			for f := range theirs {
				if !ours[f] && !excused(page, s.name, f, ours) {
					n[1]++
					t.Errorf("%s: %s: only extruct finds %q", page, s.name, f)
				}
			}
			total[s.name] = n
		}
	}
	for _, s := range syntaxes {
		t.Logf("%d pages, %s: %d facts of extruct's, %d of them not found here", len(all), s.name, total[s.name][0], total[s.name][1])
	}
}

func lastLine(text []byte) string {
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return all[len(all)-1]
}

// documents are pages of a folder, evenly chosen.
func documents(dir string) []string {
	var all []string
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".html" {
			all = append(all, path)
		}
		return nil
	})
	var some []string
	for i := range min(perCorpus, len(all)) {
		some = append(some, all[i*len(all)/min(perCorpus, len(all))])
	}
	return some
}

func ask(t *testing.T, python string, pages []string) []map[string]any {
	t.Helper()
	var in, stderr bytes.Buffer
	for _, p := range pages {
		line, err := json.Marshal(map[string]string{"file": p, "url": where})
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/ask_extruct.py")
	cmd.Stdin, cmd.Stderr = &in, &stderr
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var answers []map[string]any
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		var a map[string]any
		if err := d.Decode(&a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(pages) {
		t.Fatalf("%d answers for %d pages", len(answers), len(pages))
	}
	return answers
}

// facts are "type | property | value" of what was found, in a form that both
// sides come to: without vocabularies, white space, and ways to write a number.
type facts map[string]bool

func (f facts) add(kind, name string, value any) {
	if name != "" && normal(value) == "" {
		return // nothing was said
	}
	f[kind+" | "+name+" | "+normal(value)] = true
}

func normal(value any) string {
	if value == nil {
		return ""
	}
	text := html.UnescapeString(fmt.Sprint(value))
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return fmt.Sprint(n)
	}
	text = item.Plain(text)
	if strings.HasPrefix(text, "#") {
		text = where + text
	}
	return strings.Join(strings.Fields(text), "")
}

func kindOf(types any) string {
	var names []string
	for _, t := range listed(types) {
		names = append(names, item.Plain(fmt.Sprint(t)))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return strings.Join(names, "+")
}

func listed(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// thing adds the facts of a thing of ours.
func (f facts) thing(fields []crawler.Field) (kind string) {
	kind = kindOf(get(fields, "@type"))
	f.add(kind, "", "")
	for _, field := range fields {
		if field.Name == "@type" {
			continue
		}
		for _, v := range listed(field.Value) {
			if inner, ok := v.([]crawler.Field); ok {
				f.add(kind, field.Name, get(inner, "value")) // of a picture with its alt
				v = "<" + f.thing(inner) + ">"
			}
			f.add(kind, field.Name, v)
		}
	}
	return kind
}

func get(fields []crawler.Field, name string) any {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}
