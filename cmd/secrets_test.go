package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
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
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// secretSite echoes the key that it is asked with in its links, redirects and
// errors, as sites do.
type secretSite struct {
	mu    sync.Mutex
	asked map[string]int
	hold  chan struct{} // pages wait here
}

func (s *secretSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.RequestURI()]++
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		s.asked[r.Header.Get("Authorization")+" "+string(body)]++
	}
	n := len(s.asked)
	hold := s.hold
	s.mu.Unlock()
	if n > 6 && hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
		case <-time.After(patience):
		}
	}
	key := "?key=" + r.URL.Query().Get("key")
	switch path := r.URL.Path; {
	case path == "/robots.txt":
		_, _ = fmt.Fprint(w, "User-agent: *\nDisallow: /forbidden\n")
	case strings.HasSuffix(path, "/sitemap.xml"):
		_, _ = fmt.Fprintf(w, "<urlset><url><loc>http://%s/listed?token=%s</loc></url></urlset>", r.Host, strings.Split(path, "/")[1])
	case path == "/moved":
		http.Redirect(w, r, "/arrived?key="+url.QueryEscape(r.URL.Query().Get("key")), http.StatusFound)
	case path == "/loop":
		http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
	case path == "/gone", path == "/broken":
		http.Error(w, r.URL.String(), map[string]int{"/gone": 404, "/broken": 501}[path])
	case path == "/cut":
		w.Header().Set("Content-Length", "99999")
		_, _ = w.Write([]byte("x"))
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<title>a page</title><i>not a number</i><p id=me><a href="http://page:pagepa55word@elsewhere.example/">x</a></p>`)
		for _, to := range []string{"/moved", "/loop", "/gone", "/broken", "/cut", "/forbidden", "/p/1", "/p/2", "/p/3", "/p/4", "/p/5", "/p/6"} {
			_, _ = fmt.Fprintf(w, "<a href=%q>x</a>", to+key)
		}
	}
}

// TestSecretsStaySecret crawls with a distinctive secret in every place, fails
// in many ways, is interrupted and resumed, and then looks for the secrets in
// every byte that was written, at the most talkative level.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	site := &secretSite{asked: map[string]int{}, hold: make(chan struct{})}
	server := httptest.NewServer(site)
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	const key = "k3y/4711 äöü<secret>"
	secrets := map[string]string{
		"KEY": key, "TOKEN": "t0ken-0815-t0ken", "PASSWORD": "pa55word-of-seed", "SITE_USER": "us3r-of-the-seed", "SENT": "s3nt-in-a-body", "BEARER": "b3arer-of-a-header",
	}
	env := os.Environ()
	for name, value := range secrets {
		env = append(env, name+"="+value)
	}
	dir := t.TempDir()
	given := map[string]string{
		"crawl.yaml": fmt.Sprintf(`
name: secret
seeds:
  - http://${SITE_USER}:${PASSWORD}@%[1]s/?key=${KEY}
  - {sitemap: "http://%[1]s/${TOKEN}/sitemap.xml"}
  - {file: seeds.txt}
scope: {hosts: [127.0.0.1]}
links:
  - "a[href]"
  - {url: /send, method: POST, body: '{"key": "${SENT}"}', header: {authorization: "Bearer ${BEARER}", content-type: application/json}, repeat: true}
politeness: {agent: bookbot, contact: https://me.example, delay: 1ms, concurrency: 4, identity: {key: bot.pem, agent: https://me.example}}
fetch: {allow_private: true, retries: 1, timeout: 20s}
commit: {interval: 10ms}
revisit: always
extract:
  page: {fields: {title: title, number: {css: i, as: number}, link: {css: "#me a", attr: href, as: url}, text: {css: "#me", as: markdown}}}
output: [{jsonl: "out/{type}.jsonl"}, {csv: "out/{type}.csv"}]
`, host),
		"seeds.txt": "http://" + "name:litera1-pa55word@" + host + "/seeded\n",
	}
	for name, text := range given {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := map[string][]byte{}
	amble := func(want int, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "amble", args...)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() != want {
			t.Errorf("amble %s: %v, want %d\n%s", strings.Join(args, " "), err, want, out)
		}
		said["the output of amble "+strings.Join(args[:2], " ")+fmt.Sprint(len(said))] = out
	}
	amble(0, "keys", "new", "bot.pem")
	pem, err := os.ReadFile(filepath.Join(dir, "bot.pem"))
	if err != nil {
		t.Fatal(err)
	}
	secrets["the private key"] = strings.Split(string(pem), "\n")[1]
	secrets["a seed in a file"], secrets["a link"] = "litera1-pa55word", "pagepa55word"

	// Interrupted with URLs in the queue, which the state must hold.
	run := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml", "-v", "-v", "-v", "--set", "grace=1s")
	run.Dir, run.Env = dir, env
	var talk bytes.Buffer
	run.Stdout, run.Stderr = &talk, &talk
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); site.count() < 8 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	_ = run.Process.Signal(os.Interrupt)
	_ = run.Wait()
	if code := run.ProcessState.ExitCode(); code != exit.Interrupted {
		t.Fatalf("exit status %d\n%s", code, talk.String())
	}
	said["the output of an interrupted run"] = talk.Bytes()
	state := filepath.Join(dir, ".amble", "secret")
	said["the interrupted state"] = everythingIn(t, state)
	if !bytes.Contains(said["the interrupted state"], []byte("/p/")) {
		t.Error("nothing was queued")
	}

	site.release()
	keyed := server.URL + "/gone?key=" + url.QueryEscape(key)
	amble(0, "run", "crawl.yaml", "-v", "-v", "-v", "--summary", "sum/summary.json", "--json")
	amble(0, "explain", "crawl.yaml", keyed)
	amble(1, "try", "crawl.yaml", keyed, "-v", "-v")
	amble(0, "try", "crawl.yaml", server.URL+"/p/1?key="+url.QueryEscape(key), "-v", "-v")
	amble(0, "plan", "crawl.yaml", "-v", "-v")
	amble(0, "audit", state, "--host", server.URL)
	amble(0, "lint", "crawl.yaml")
	amble(0, "run", "crawl.yaml", "-v", "-v", "-v")
	// Mistakes that quote what they are about.
	for _, set := range []string{"fetch.workers=${KEY}", "seeds.0=${KEY}", "seeds.0=ftp://x/${TOKEN}", "politeness.delay=${TOKEN}", "scope.include.0=[${PASSWORD}", "name=${KEY}", "output.0.jsonl=${TOKEN}://x"} {
		amble(2, "lint", "crawl.yaml", "--set", set)
	}

	// What was sealed in the state was filled in again.
	if sent := "Bearer " + secrets["BEARER"] + ` {"key": "` + secrets["SENT"] + `"}`; !slices.Contains(site.paths(), sent) {
		t.Errorf("nobody sent %s", sent)
	}
	asked := strings.Join(site.keyed(key), " ")
	for _, path := range []string{"/p/1", "/p/6", "/arrived", "/gone"} {
		if !strings.Contains(asked, path) {
			t.Errorf("%s was not asked for with its key: %q", path, site.paths())
		}
	}
	for _, path := range site.paths() {
		if strings.Contains(path, "~") || strings.Contains(path, "$") {
			t.Errorf("the site was asked for %s", path)
		}
	}

	said["the state"] = everythingIn(t, state)
	for _, folder := range []string{"out", "sum"} {
		said[folder] = everythingIn(t, filepath.Join(dir, folder))
		if len(said[folder]) == 0 {
			t.Errorf("%s is empty", folder)
		}
	}
	for place, data := range said {
		for name, secret := range secrets {
			forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
			if name == "KEY" {
				forms = append(forms, "k3y/4711", "k3y%2F4711")
			}
			for _, form := range forms {
				if at := bytes.Index(data, []byte(form)); at >= 0 {
					t.Errorf("%s shows %s: …%q…", place, name, data[max(0, at-80):min(len(data), at+60)])
					break
				}
			}
		}
	}
}

func (s *secretSite) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// keyed are the paths that were asked for with a key.
func (s *secretSite) keyed(key string) (paths []string) {
	for _, uri := range s.paths() {
		if u, err := url.ParseRequestURI(uri); err == nil && u.Query().Get("key") == key {
			paths = append(paths, u.Path)
		}
	}
	return paths
}

func (s *secretSite) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.asked))
}

func (s *secretSite) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.hold)
	s.hold = nil
}

// everythingIn is what stands in the files of a folder, raw, and as their
// readers unpack it.
func everythingIn(t *testing.T, folder string) []byte {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		all.WriteString(path + "\n")
		if e.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "store")); err != nil {
		return all.Bytes()
	}
	db, err := pebble.Open(filepath.Join(folder, "store"), &pebble.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ok := rows.First(); ok; ok = rows.Next() {
		all.Write(rows.Key())
		all.Write(rows.Value())
		n++
	}
	if err := rows.Close(); err != nil || n == 0 {
		t.Fatalf("%d rows, %v", n, err)
	}
	n = 0
	for entry, err := range ledger.Read(polite.LedgerFolder(folder)) {
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(&all, "%+v\n", entry)
		n++
	}
	if n == 0 {
		t.Fatal("the ledger is empty")
	}
	return all.Bytes()
}
