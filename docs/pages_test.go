package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every class that the code knows has its line in outcomes.md, and no other.
func TestOutcomesAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../crawler/outcome.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Class" {
			for _, v := range spec.Values {
				class, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				known = append(known, class)
			}
		}
		return false
	})
	text, err := os.ReadFile("outcomes.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		told = append(told, m[1])
	}
	slices.Sort(known)
	slices.Sort(told)
	if len(known) < 10 || !slices.Equal(known, told) {
		t.Errorf("classes in the code: %q\nin outcomes.md: %q", known, told)
	}
}

// Every page, and every decision with a number of its own, is found from the first page.
func TestPagesAreListed(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"*.md", "adr/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) < 10 {
			t.Fatalf("%s: %d pages, %v", pattern, len(pages), err)
		}
		numbers := map[string]string{}
		for _, page := range pages {
			if page != "README.md" && !strings.Contains(string(text), "]("+page+")") {
				t.Errorf("%s is not listed in README.md", page)
			}
			if number, _, numbered := strings.Cut(filepath.Base(page), "-"); numbered {
				if other, taken := numbers[number]; taken {
					t.Errorf("%s has the number of %s", page, other)
				}
				numbers[number] = page
			}
		}
	}
}

// Links between pages lead somewhere.
func TestLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"../*.md", "*.md", "*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	if len(pages) < 10 {
		t.Fatalf("only %d pages are found", len(pages))
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			}
		}
	}
}
