package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testEnv is the environment of the tests.
func testEnv(name string) (string, bool) {
	v, ok := map[string]string{
		"TOKEN": "s3cret-t0ken", "EMPTY": "", "WORKERS": "8", "BAD_DELAY": "hunter2hunter2",
		"SECRET_CSS": "p[hunter2", "CONTACT": "ops@example.org",
	}[name]
	return v, ok
}

// TestGolden loads every testdata/*.yaml and compares all that is said about
// it, excerpts included, with the .err file beside it; a good file has an
// empty one or only warnings.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, found := Load(file, Options{Env: testEnv})
			if found.Failed() != (c == nil) {
				t.Errorf("config %v for %v", c, found)
			}
			if bad := strings.HasPrefix(filepath.Base(file), "bad-"); bad != found.Failed() {
				t.Errorf("failed: %t", found.Failed())
			}
			var got bytes.Buffer
			if err := found.Write(&got); err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(got.String(), mustAbs(t, "testdata")+"/", "testdata/")
			compareGolden(t, strings.TrimSuffix(file, ".yaml")+".err", text)
			for _, secret := range []string{"s3cret", "hunter2"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q is shown", secret)
				}
			}
		})
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
