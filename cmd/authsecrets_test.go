package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// keyedAPI wants a key in its query or a token, echoes both wherever it can, and
// leads to another host.
type keyedAPI struct {
	key, elsewhere string

	mu     sync.Mutex
	tokens int
	heard  []string // what came with credentials
}

func (a *keyedAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	given := r.URL.Query().Get("api_key") + r.Header.Get("Authorization")
	a.heard = append(a.heard, r.URL.Path+" "+given)
	w.Header().Set("Content-Type", "application/json")
	switch path := r.URL.Path; {
	case path == "/robots.txt":
		http.NotFound(w, r)
	case path == "/token":
		a.tokens++
		_, _ = fmt.Fprintf(w, `{"access_token":"t0ken-number-%d","token_type":"bearer","expires_in":3600}`, a.tokens)
	case path == "/away":
		http.Redirect(w, r, a.elsewhere+"/arrived", http.StatusTemporaryRedirect)
	case path == "/moved":
		http.Redirect(w, r, "/rows/moved?"+r.URL.RawQuery, http.StatusFound)
	case path == "/gone":
		http.Error(w, "no "+r.URL.String(), http.StatusNotFound)
	case r.Header.Get("Authorization") == "Bearer t0ken-number-1" && a.tokens == 1:
		w.WriteHeader(http.StatusUnauthorized) // ended early
	default:
		next := ""
		if r.URL.Query().Get("page") == "" {
			next = fmt.Sprintf("%s?page=2&api_key=%s", path, url.QueryEscape(a.key))
		}
		_, _ = fmt.Fprintf(w, `{"ok": true, "next": %q}`, next)
	}
}

// Credentials are where they are sent to, and nowhere else.
func TestCredentialsStaySecret(t *testing.T) {
	t.Parallel()
	for kind, config := range map[string]string{
		"query":  `key: {value: "${KEY}", query: api_key}`,
		"oauth2": `oauth2: {token_url: "http://%[1]s/token", client_id: me, client_secret: "${SECRET}"}`,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			other := &keyedAPI{}
			elsewhere := httptest.NewServer(other)
			defer elsewhere.Close()
			a := &keyedAPI{key: "k3y/4711 &secret", elsewhere: elsewhere.URL}
			if kind == "oauth2" {
				a.key = "n0-key-of-this-crawl" // one that it does not know
			}
			server := httptest.NewServer(a)
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			dir := t.TempDir()
			text := fmt.Sprintf(`
name: secret
seeds:
  - {rows: rows.csv, url: "http://%[1]s/{{path|raw}}"}
scope: {hosts: [127.0.0.1]}
extract: {answer: {plugin: json, fields: {ok: $.ok}, next: $.next}}
politeness: {contact: https://me.example, delay: 0s}
fetch: {allow_private: true, retries: 1, auth: {%[1]q: {`+config+`}}}
`, host)
			for name, text := range map[string]string{"crawl.yaml": text, "rows.csv": "path\nrows/1\nrows/2\naway\nmoved\ngone\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			said := map[string][]byte{}
			for _, args := range [][]string{
				{"lint", "crawl.yaml"}, {"run", "crawl.yaml", "-v", "-v", "-v", "--json"}, {"try", "crawl.yaml", server.URL + "/moved", "-v", "-v"}, {"explain", "crawl.yaml", server.URL + "/gone"},
			} {
				cmd := exec.CommandContext(t.Context(), "amble", args...)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "KEY="+a.key, "SECRET=cl1ent-secret-0815")
				out, err := cmd.CombinedOutput()
				if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || args[0] == "run" && err != nil {
					t.Fatalf("amble %q: %v\n%s", args, err, out)
				}
				said["amble "+args[0]] = out
			}
			records, err := os.ReadFile(filepath.Join(dir, "out", "answer.jsonl"))
			if err != nil || bytes.Count(records, []byte("\n")) < 5 || bytes.Count(records, []byte(`"ok":true`)) < 4 {
				t.Errorf("%v, records:\n%s", err, records)
			}
			want := a.key
			if kind == "oauth2" {
				want = "Bearer t0ken-number-2"
			}
			if !slices.Contains(a.heard, "/rows/1 "+want) || !slices.ContainsFunc(a.heard, func(s string) bool { return strings.HasPrefix(s, "/rows/moved "+want) }) {
				t.Errorf("the API heard %q", a.heard)
			}
			if !slices.Contains(other.heard, "/arrived ") || slices.ContainsFunc(other.heard, func(s string) bool { return !strings.HasSuffix(s, " ") }) {
				t.Errorf("the other host heard %q", other.heard)
			}
			said["the records"], said["the state"] = records, everythingIn(t, filepath.Join(dir, ".amble", "secret"))
			for place, data := range said {
				for _, secret := range []string{"cl1ent-secret-0815", "t0ken-number", "k3y/4711 &secret", url.QueryEscape("k3y/4711 &secret"), url.PathEscape("k3y/4711 &secret"), "k3y/4711", "k3y%2F4711"} {
					if at := bytes.Index(data, []byte(secret)); at >= 0 {
						t.Errorf("%s shows %s: …%q…", place, secret, data[max(0, at-80):min(len(data), at+60)])
					}
				}
			}
		})
	}
}
