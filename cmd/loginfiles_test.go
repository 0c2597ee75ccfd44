package cmd

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// filing is a site that shows files to who is logged in, for a few requests.
type filing struct {
	denies func(w http.ResponseWriter, r *http.Request)
	length int // of a session, in requests

	mu     sync.Mutex
	logins int
	left   map[string]int
}

const memberFiles = 12

func memberFile(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 1000+i) }

func (m *filing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r.URL.Path {
	case "/robots.txt":
		http.NotFound(w, r)
		return
	case "/session":
		if r.FormValue("password") != "s3cret-0815" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		m.logins++
		name := fmt.Sprintf("session-%d", m.logins)
		m.left[name] = m.length
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"token": %q}`, name)
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if m.left[token] == 0 {
		m.denies(w, r)
		return
	}
	m.left[token]--
	var n int
	switch _, err := fmt.Sscanf(r.URL.Path, "/%d.bin", &n); {
	case err == nil:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(memberFile(n))
	case r.URL.Path == "/sums":
		for i := range memberFiles {
			_, _ = fmt.Fprintf(w, "%x  %d.bin\n", sha256.Sum256(memberFile(i)), i)
		}
	default:
		w.Header().Set("Content-Type", "text/html")
		for i := range memberFiles {
			_, _ = fmt.Fprintf(w, "<a href=/%d.bin>file</a>", i)
		}
	}
}

// Files that only members get come whole, and nothing else in their place, however a
// site says that a session has ended; so does the file of their sums.
func TestFilesForMembers(t *testing.T) {
	t.Parallel()
	for name, denies := range map[string]func(w http.ResponseWriter, r *http.Request){
		"status":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/session", http.StatusFound) },
		"form": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, `<form id=login action=/session>`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := &filing{denies: denies, length: 5, left: map[string]int{}}
			server := httptest.NewServer(site)
			defer server.Close()
			dir := t.TempDir()
			text := strings.ReplaceAll(`
name: members
seeds: URL/
links: [{css: a, download: true}]
downloads: {to: files, name: "{name}", sha256sums: "URL/sums"}
politeness: {contact: https://me.example, delay: 0s}
fetch: {allow_private: true, retries: 8}
login:
  steps: [{url: "URL/session", method: POST, header: {content-type: application/x-www-form-urlencoded}, body: "password=${PASSWORD}"}]
  take: {token: {jsonpath: $.token}}
  send: {Authorization: "Bearer {{token}}"}
  again: {status: 401, leads: /session, shows: "form#login"}
`, "URL", server.URL)
			if err := os.WriteFile(filepath.Join(dir, "crawl.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml", "-v")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "PASSWORD=s3cret-0815")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for i := range memberFiles {
				got, err := os.ReadFile(filepath.Join(dir, "files", fmt.Sprintf("%d.bin", i)))
				if err != nil || !bytes.Equal(got, memberFile(i)) {
					t.Errorf("file %d: %.40q, %v", i, got, err)
				}
			}
			if site.logins < 3 || t.Failed() {
				t.Errorf("%d logins\n%s", site.logins, out)
			}
		})
	}
}
