package cmd

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/politeness/identity"
)

// TestSignedCrawl crawls with an identity and verifies every request where it
// arrives, robots.txt included, each signed anew.
func TestSignedCrawl(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := filepath.Join(dir, "bot.pem")
	if out, err := exec.CommandContext(t.Context(), "amble", "keys", "new", key).CombinedOutput(); err != nil {
		t.Fatalf("amble keys: %v\n%s", err, out)
	}
	own, err := identity.Load(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	nonces := map[string]string{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := identity.Verify(r, identity.VerifyOptions{Now: time.Now(), Keys: func(origin, id string) (ed25519.PublicKey, error) {
			if origin != "https://bot.example" || id != own.ID() {
				return nil, errors.New("not ours")
			}
			return own.Public(), nil
		}})
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
		if other, used := nonces[v.Nonce]; used {
			t.Errorf("%s carries the nonce of %s", r.URL, other)
		}
		nonces[v.Nonce] = r.URL.Path
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<title>x</title><a href="/a">a</a><a href="/b">b</a>`) // the client's trouble, not ours
	}))
	defer server.Close()

	root := filepath.Join(dir, "root.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	config := filepath.Join(dir, "signed.yaml")
	text := fmt.Sprintf(`
seeds: [%s/]
politeness: {contact: https://bot.example, delay: 1ms, identity: {key: bot.pem, agent: https://bot.example}}
fetch: {allow_private: true}
`, server.URL)
	if err := errors.Join(os.WriteFile(root, certificate, 0o600), os.WriteFile(config, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "amble", "run", config)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+root)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("amble run: %v\n%s", err, out)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(nonces) != 4 { // robots.txt, /, /a and /b
		t.Errorf("%d signed requests: %v", len(nonces), nonces)
	}
}
