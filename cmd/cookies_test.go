package cmd

import (
	"errors"
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

// cookieWall shows its pages to those who keep cookies: at once, and by way of
// another page.
type cookieWall struct {
	mu    sync.Mutex
	asked []string
}

func (s *cookieWall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path+" "+r.Header.Get("Cookie"))
	s.mu.Unlock()
	_, err := r.Cookie("session")
	switch {
	case r.URL.Path == "/robots.txt":
		http.NotFound(w, r)
	case r.URL.Path == "/check":
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "hunter2hunter2", Path: "/"})
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	case err != nil && r.URL.Path == "/round":
		http.Redirect(w, r, "/check?to=/round", http.StatusFound)
	case err != nil:
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "hunter2hunter2", Path: "/"})
		http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<title>inside</title>")
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for seed, want := range map[string]struct{ off, kept string }{
		"/": {"redirect_loop", `"page":1`}, "/round": {"redirect_loop", `"page":1`},
	} {
		for _, cookies := range []string{"off", "host", "crawl"} {
			t.Run(cookies+seed, func(t *testing.T) {
				t.Parallel()
				site := &cookieWall{}
				server := httptest.NewServer(site)
				defer server.Close()
				dir := t.TempDir()
				text := fmt.Sprintf("name: wall\nseeds: [%q]\npoliteness: {contact: https://me.example, delay: 0s}\nfetch: {allow_private: true, cookies: %s}\nextract: {page: {fields: {title: title}}}\n", server.URL+seed, cookies)
				if err := os.WriteFile(filepath.Join(dir, "c.yaml"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), "amble", "run", "c.yaml", "--json", "-v", "-v")
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				expected := want.kept
				if cookies == "off" {
					expected = want.off
				}
				state := everythingIn(t, filepath.Join(dir, ".amble", "wall"))
				if !strings.Contains(string(out), expected) || strings.Contains(string(out), "hunter2") ||
					strings.Contains(string(state), "hunter2") { // the run is over
					t.Errorf("asked %q\n%s", site.asked, out)
				}
			})
		}
	}
}
