package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: no input panics, every finding lies inside the file, and a config
// without findings can be used.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 || strings.Contains(string(data), "file") {
			return // no reading of whatever files the fuzzer names
		}
		c, found := Parse("fuzz.yaml", data, Options{Env: testEnv})
		if (c == nil) != found.Failed() {
			t.Fatalf("config %v with %v", c, found)
		}
		text := strings.TrimPrefix(string(data), "\ufeff")
		lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
		for _, d := range found {
			if d.Line < 1 || d.Line > len(lines) || d.Column < 1 || d.Column > utf8.RuneCountInString(lines[d.Line-1])+1 {
				t.Errorf("%s is not inside the file", d)
			}
			if d.Message == "" || !utf8.ValidString(d.String()+d.Excerpt) || strings.ContainsAny(d.Message+d.Hint, "\n\r") {
				t.Errorf("%q", d)
			}
		}
		if c == nil {
			return
		}
		for _, err := range c.EachSeed() {
			if err != nil {
				t.Error(err)
			}
		}
		for _, r := range c.Extract {
			if _, err := r.Matches(); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzExpand: what is put in is hidden again, and text without variables stays.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"a", "${TOKEN}", "x${A:-y}z", "$${TOKEN}", "${", "${}", "$${${TOKEN}}", "${TOKEN}${TOKEN}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		known := &secrets{}
		exp, errs := expand(text, testEnv, known)
		if !strings.Contains(text, "${") && (exp.text != text || errs != nil || exp.from != nil) {
			t.Errorf("%q became %q", text, exp.text)
		}
		if len(exp.from) > 0 && strings.Contains(known.hide(exp.text), "s3cret-t0ken") && !strings.Contains(text, "s3cret") {
			t.Errorf("%q shows a secret", known.hide(exp.text))
		}
		for _, e := range errs {
			if e.at < 0 || e.at >= len(text) {
				t.Errorf("place %d in %q", e.at, text)
			}
		}
	})
}
