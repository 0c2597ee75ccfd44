package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/fixtures/shelf"
)

// A file of sums holds for the files that it names, and what it does not name is told.
func TestSumsOfFolders(t *testing.T) {
	t.Parallel()
	s, endpoint := shelfServer(t, nil)
	for i, key := range []string{"f/linux/README", "f/windows/README", "f/linux/bad"} {
		s.Put(key, shelf.Bytes(noise(byte(i), 100), shelved))
	}
	dir := downloadsIn(t, endpoint, `
seeds: [{bucket: shelf}]
downloads: {to: files, name: "{path}", min_free: 0B, sha256sums: SUMS}
`)
	lint := func(sums, want string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "SUMS"), []byte(sums), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := ambleIn(t, dir, shelfSecret, "lint", "crawl.yaml")
		if (err != nil) != (want != "") || !strings.Contains(out, want) {
			t.Errorf("%q: %v\n%s", sums, err, out)
		}
	}
	if out, err := ambleIn(t, dir, shelfSecret, "lint", "crawl.yaml"); err == nil || !strings.Contains(out, "crawl.yaml:8:") || !strings.Contains(out, "downloads.sha256sums: cannot read ") {
		t.Errorf("a file that is not there: %v\n%s", err, out)
	}
	lint("", "there is no line in it")
	lint("d41d8cd98f00b204e9800998ecf8427e  linux/README\n", "line 1 has an MD5, and SHA-256 is wanted")
	lint(sha(noise(0, 100))+"  linux/README\n"+sha(noise(9, 100))+"  ./linux/bad\n", "")
	out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := manifestOf(t, dir)
	if r := m["f/linux/README"]; r["status"] != "fetched" || r["detail"] != nil {
		t.Errorf("a file that is listed: %v", r)
	}
	if r := m["f/windows/README"]; r["status"] != "fetched" || r["detail"] != "not in the file of sums" {
		t.Errorf("a file that is not listed: %v", r)
	}
	if r := m["f/linux/bad"]; r["reason"] != "checksum" {
		t.Errorf("a file of another sum: %v", r)
	}
	if !strings.Contains(out, "file.sha256  1  such as blob://shelf/f/windows/README: file.sha256: not in the file of sums") {
		t.Errorf("the report is\n%s", out)
	}
}
