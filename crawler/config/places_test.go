package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a run would stop at is told with its place, where it is asked for.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"there", "locked"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	folders := &Folders{Stat: os.Stat, MayWrite: func(at string) error {
		if at == filepath.Join(dir, "locked") {
			return errors.New("permission denied")
		}
		return nil
	}}
	const download = "seeds: [{url: https://a.example/f, download: true}]\npoliteness: {contact: a@b.example}\n"
	for text, want := range map[string]string{
		download + "downloads: {to: there}":                                                        "",
		download + "downloads: {to: new/below}":                                                    "",
		download + "downloads: {to: there/new}":                                                    "",
		download + "downloads: {to: file}":                                                         "3:17: downloads.to: DIR/file is no folder",
		download + "downloads: {to: file/below}":                                                   "3:17: downloads.to: DIR/file is no folder",
		download + "downloads: {to: locked/below}":                                                 "3:17: downloads.to: nothing can be written to DIR/locked: permission denied",
		download + `downloads: {to: "file:gone"}`:                                                  "3:17: downloads.to: there is no folder DIR/gone",
		download + "downloads: {to: c}\nconnections: {c: {url: file:gone}}":                        "4:24: connections.c.url: there is no folder DIR/gone",
		download + "downloads: {to: c}\nconnections: {c: {url: file:locked}}":                      "4:24: connections.c.url: nothing can be written to DIR/locked",
		download + "connections: {c: {url: file:locked}}":                                          "",
		download + "connections: {c: {url: file:file}}":                                            "3:24: connections.c.url: DIR/file is no folder",
		download + `downloads: {to: "${UNSET}"}`:                                                   "3:18: the environment variable UNSET is not set",
		"seeds: [{bucket: \"file:gone\"}]\npoliteness: {contact: a@b.example}":                     "1:18: seeds.bucket: there is no folder DIR/gone",
		download + "connections: {c: {url: \"sqlite:gone.db\"}}":                                   "3:24: connections.c.url: there is no file DIR/gone.db",
		download + "connections: {c: {url: \"sqlite:there\"}}":                                     "3:24: connections.c.url: DIR/there is a folder",
		download + "connections: {c: {url: \"sqlite:file\"}}":                                      "",
		download + "downloads: {sha256sums: gone}":                                                 "3:25: downloads.sha256sums: cannot read DIR/gone: no such file",
		download + "downloads: {sha256sums: file}":                                                 "3:25: downloads.sha256sums: DIR/file: there is no line in it",
		"seeds: [https://a.example/]\npoliteness: {contact: a@b.example}\nstate: file/s":           "3:8: state: DIR/file is no folder",
		"seeds: [https://a.example/]\npoliteness: {contact: a@b.example}\nfetch: {cache: file/s}":  "3:16: fetch.cache: DIR/file is no folder",
		"seeds: [https://a.example/]\npoliteness: {contact: a@b.example}\ndownloads: {to: locked}": "warning: downloads: nothing is downloaded",
	} {
		_, found := Parse(filepath.Join(dir, "crawl.yaml"), []byte(text), Options{Folders: folders})
		said := ""
		if len(found) > 0 {
			said = found[0].String()
		}
		if want = strings.ReplaceAll(want, "DIR", dir); len(found) > 1 || want == "" != (said == "") || !strings.Contains(said, want) {
			t.Errorf("%s\n%v, want %q", text, found, want)
		}
		if _, found := Parse(filepath.Join(dir, "crawl.yaml"), []byte(text), Options{}); found.Failed() && !strings.Contains(want, "environment") {
			t.Errorf("%s\na run that did not ask is told: %v", text, found)
		}
	}
}
