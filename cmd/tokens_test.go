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

// Rows wait while no token can be had, and are not charged with it but for the one that
// had it asked for; nor is their host.
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
	if good != 29 || bad != 1 || answered.Load() != 29 {
		t.Errorf("%d rows have answers, %d the error, %d were sent\n%s", good, bad, answered.Load(), out)
	}
	if !strings.Contains(string(out), "no token from "+host+": status 503") {
		t.Errorf("nobody says why rows wait:\n%s", out)
	}
}
