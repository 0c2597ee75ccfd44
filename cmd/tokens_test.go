package cmd

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// Rows wait while no token can be had, and are not charged with it; nor is their host.
func TestTokensInTrouble(t *testing.T) {
	t.Parallel()
	var asked, answered atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token" && asked.Add(1) <= 2: // the library asks in two ways
			http.Error(w, "out of order", http.StatusServiceUnavailable)
		case r.URL.Path == "/token":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"access_token":"t0ken","token_type":"bearer","expires_in":3600}`)
		case r.Header.Get("Authorization") != "Bearer t0ken":
			http.Error(w, "no token", http.StatusUnauthorized)
		default:
			answered.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"ok": true}`)
		}
	}))
	defer server.Close()
	dir, host := t.TempDir(), strings.TrimPrefix(server.URL, "http://")
	text := fmt.Sprintf(`
name: tokens
seeds: [{rows: rows.csv, url: "http://%[1]s/{{n}}"}]
extract: {answer: {plugin: json, fields: {ok: $.ok}}}
politeness: {contact: https://me.example, circuit_after: 1, hosts: {%[1]q: {api: true, delay: 0s, concurrency: 8}}}
fetch: {allow_private: true, retries: 0, auth: {%[1]q: {oauth2: {token_url: "http://%[1]s/token", client_id: me, client_secret: "${SECRET}"}}}}
`, host)
	for name, text := range map[string]string{"crawl.yaml": text, "rows.csv": "n\n" + strings.Repeat("row\n", 30)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "SECRET=s3cret-0815")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	records, err := os.ReadFile(filepath.Join(dir, "out", "answer.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	good, bad := bytes.Count(records, []byte(`"ok":true`)), bytes.Count(records, []byte(`"error":"auth"`))
	if good != 30 || bad != 0 || answered.Load() != 30 {
		t.Errorf("%d rows have answers, %d the error, %d were sent\n%s", good, bad, answered.Load(), out)
	}
	if !strings.Contains(string(out), "no token from "+host+": status 503") {
		t.Errorf("nobody says why rows wait:\n%s", out)
	}
}

// A run that never has a token stops soon, and goes on where it was when its config is
// mended: no row is lost.
func TestWrongAddressOfTokens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/page":
			_, _ = fmt.Fprint(w, "<html>Welcome</html>")
		case r.URL.Path == "/token":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"access_token":"t0ken","token_type":"bearer","expires_in":3600}`)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"ok": true}`)
		}
	}))
	defer server.Close()
	dir, host := t.TempDir(), strings.TrimPrefix(server.URL, "http://")
	text := fmt.Sprintf(`
name: tokens
seeds: [{rows: rows.csv, url: "http://%[1]s/{{n}}"}]
extract: {answer: {plugin: json, fields: {ok: $.ok}}}
politeness: {contact: https://me.example, hosts: {%[1]q: {api: true, delay: 0s, concurrency: 8}}}
fetch: {allow_private: true, auth: {%[1]q: {oauth2: {token_url: "http://%[1]s${PLACE}", client_id: me, client_secret: s3cret}}}}
`, host)
	for name, text := range map[string]string{"crawl.yaml": text, "rows.csv": "n\n" + strings.Repeat("row\n", 30)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(place string) (out string, code int) {
		cmd := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PLACE="+place)
		text, _ := cmd.CombinedOutput()
		return string(text), cmd.ProcessState.ExitCode()
	}
	if out, code := run("/page"); code != 3 || !strings.Contains(out, "after 3 attempts no token from "+host+": the answer, with status 200, holds no token: is token_url its address?") {
		t.Errorf("exit %d\n%s", code, out)
	}
	out, code := run("/token")
	records, err := os.ReadFile(filepath.Join(dir, "out", "answer.jsonl"))
	if good := bytes.Count(records, []byte(`"ok":true`)); code != 0 || err != nil || good != 30 || !strings.Contains(out, "resuming") {
		t.Errorf("exit %d, %d rows\n%s", code, good, out)
	}
}
