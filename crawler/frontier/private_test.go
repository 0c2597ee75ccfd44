//go:build unix

package frontier

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Whatever the umask, and in a folder that all may enter, only the owner may
// read a state.
func TestStateIsPrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{dir, filepath.Join(dir, "new", "state")} {
		for range 2 { // the second time, files are read, compacted and made anew
			f, err := Open(Options{Dir: state, Crawl: "shop"})
			if err != nil {
				t.Fatal(err)
			}
			var found []crawler.Request
			for _, raw := range []string{"https://a.example/1", "https://a.example/2"} {
				u, err := urls.Parse(raw)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, crawler.Request{URL: u, Key: (&urls.Canon{}).Key(u)})
			}
			batch := &crawler.Batch{Found: found, Hosts: map[string]crawler.HostState{"https://a.example": {NotBefore: time.Unix(1, 0)}}}
			if _, err := f.Commit(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		files := 0
		err := filepath.WalkDir(state, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			files++
			info, err := e.Info()
			if err == nil && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode().Perm())
			}
			return err
		})
		if err != nil || files < 5 {
			t.Errorf("%d files, %v", files, err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "new", "state"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a new state folder has mode %v, %v", info.Mode().Perm(), err)
	}
}
