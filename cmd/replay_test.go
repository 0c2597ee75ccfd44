package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// varied is a site with some of everything: rules, a sitemap, redirects, failures, a
// page that works the second time only, and cookies.
func varied(asked *atomic.Int64) http.HandlerFunc {
	var busy, limited atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "c00kie-of-the-site"})
		switch path := r.URL.Path; {
		case path == "/robots.txt":
			_, _ = fmt.Fprintf(w, "User-agent: *\nCrawl-delay: 0.2\nDisallow: /forbidden\nSitemap: http://%s/sitemap.xml\n", r.Host)
		case path == "/sitemap.xml":
			_, _ = fmt.Fprintf(w, "<urlset><url><loc>http://%s/listed</loc></url></urlset>", r.Host)
		case path == "/moved":
			http.Redirect(w, r, "/arrived?key="+r.URL.Query().Get("key"), http.StatusFound)
		case path == "/gone":
			http.NotFound(w, r)
		case path == "/busy" && busy.Add(1) == 1, path == "/down":
			w.WriteHeader(http.StatusBadGateway)
		case path == "/limited" && limited.Add(1) == 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case path == "/cut":
			w.Header().Set("Content-Length", "99999")
			_, _ = w.Write([]byte("x"))
		default:
			w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
			_, _ = fmt.Fprintf(w, "<title>caf\xe9 %s</title><p>%s</p>", path, r.URL.Query().Get("key"))
			for _, to := range []string{"moved", "gone", "busy", "limited", "down", "cut", "forbidden", "p/1", "p/2", "p/3"} {
				_, _ = fmt.Fprintf(w, "<a href=\"/%s?key=%s\">x</a>", to, r.URL.Query().Get("key"))
			}
		}
	}
}

// A crawl that was recorded runs again without a connection, at once, and gives the
// same records, also by other rules; what was not asked for then is told.
func TestReplay(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(varied(&asked))
	defer server.Close()
	dir := t.TempDir()
	write := func(name, extract string) {
		t.Helper()
		text := fmt.Sprintf(`
name: varied
seeds: ["%[1]s/?key=${KEY}", {sitemap: "%[1]s/sitemap.xml"}]
politeness: {contact: https://me.example, delay: 50ms}
fetch: {allow_private: true, cookies: host, retries: 1, timeout: 5s}
commit: {interval: 10ms}
extract: {page: {fields: {%[2]s}}}
`, server.URL, extract)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const key = "s3cret-key-of-the-seed"
	amble := func(exit int, args ...string) (out []byte, summary map[string]any) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "amble", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "KEY="+key)
		out, err := cmd.Output()
		if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) || cmd.ProcessState.ExitCode() != exit {
			t.Fatalf("amble %q: %v\n%s", args, err, out)
		}
		_ = json.Unmarshal(out, &summary)
		return out, summary
	}
	records := func() []string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, "out", "page.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.Lines(string(data)) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			delete(record, "_run")
			text, _ := json.Marshal(record)
			lines = append(lines, string(text))
		}
		slices.Sort(lines)
		return lines
	}
	write("c.yaml", `title: title, key: p`)
	amble(0, "run", "c.yaml", "--set", "scope.max_pages=1") // after which robots.txt is known
	_, first := amble(0, "run", "c.yaml", "--json", "--record", "varied.archive")
	recorded, sent := records(), asked.Load()
	data, err := os.ReadFile(filepath.Join(dir, "varied.archive"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{key, "c00kie-of-the-site"} {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("the archive holds %s", secret)
		}
	}
	state := everythingIn(t, filepath.Join(dir, ".amble", "varied"))
	server.Close() // nobody is there any more

	_, second := amble(0, "run", "c.yaml", "--json", "--replay", "varied.archive")
	if got := records(); !slices.Equal(got, recorded) || len(got) < 6 || !strings.Contains(got[0], "café") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(recorded, "\n"))
	}
	if asked.Load() != sent || second["requests"] != 0.0 || second["bytes"] != 0.0 {
		t.Errorf("%v requests, %v bytes", second["requests"], second["bytes"])
	}
	for _, same := range []string{"pages", "records", "failed", "disallowed", "errors", "discovered", "fetched", "redirected", "hosts"} {
		if fmt.Sprint(first[same]) != fmt.Sprint(second[same]) {
			t.Errorf("%s: %v, replayed %v", same, first[same], second[same])
		}
	}
	if !bytes.Equal(everythingIn(t, filepath.Join(dir, ".amble", "varied")), state) {
		t.Error("the crawl's own state was touched")
	}
	out, _ := amble(0, "audit", ".amble/varied-replay")
	if !bytes.Contains(out, []byte("0 requests sent")) || !bytes.Contains(out, []byte(" 0 violations")) {
		t.Errorf("the ledger of the replay: %s", out)
	}
	amble(0, "audit", ".amble/varied")

	write("other.yaml", `title: {css: title, regex: "caf. (.*)"}`)
	amble(0, "run", "other.yaml", "--json", "--replay", "varied.archive", "--set", "name=varied")
	if got := records(); len(got) != len(recorded) || !strings.Contains(got[0], `"title":"/`) {
		t.Errorf("by other rules: %s", got)
	}
	_, more := amble(0, "run", "c.yaml", "--json", "--replay", "varied.archive", "--set", fmt.Sprintf("seeds=[%q, %q]", server.URL+"/?key="+key, server.URL+"/unseen"))
	if errs, _ := more["errors"].(map[string]any); errs["not_recorded"] != 1.0 {
		t.Errorf("%v", more["errors"])
	}

	// An archive that is damaged is refused before the outputs are touched.
	amble(0, "run", "c.yaml", "--replay", "varied.archive")
	archived, err := os.ReadFile(filepath.Join(dir, "varied.archive"))
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndex(archived, []byte{0x28, 0xb5, 0x2f, 0xfd})
	copy(archived[last+10:], "XXXXXXXX")
	if err := os.WriteFile(filepath.Join(dir, "damaged.archive"), archived, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ = amble(2, "run", "c.yaml", "--replay", "damaged.archive")
	if got := records(); !slices.Equal(got, recorded) {
		t.Errorf("%s\n%d records of %d are left", out, len(got), len(recorded))
	}
	_, rest := amble(0, "run", "c.yaml", "--json", "--replay", "damaged.archive", "--skip-damaged")
	if errs, _ := rest["errors"].(map[string]any); errs["not_recorded"] != 1.0 {
		t.Errorf("%v", rest["errors"])
	}
	amble(2, "run", "c.yaml", "--replay", "none.archive")
	amble(2, "run", "c.yaml", "--replay", "c.yaml")
	amble(2, "run", "c.yaml", "--replay", "varied.archive", "--record", "other")
}

// What a login reads of robots.txt before the first page is in the archive as well: the
// pages do not ask for it again.
func TestReplayAfterALogin(t *testing.T) {
	t.Parallel()
	site := &members{serves: 1000, sessions: map[string]int{}}
	server := httptest.NewServer(site)
	defer server.Close()
	dir := t.TempDir()
	text := strings.NewReplacer("SITE", server.URL, "SEED", server.URL+"/p/0", "COOKIES", "host").Replace(membersConfig + formLogin)
	if err := os.WriteFile(filepath.Join(dir, "c.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	amble := func(args ...string) int {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "amble", append([]string{"run", "c.yaml"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PASSWORD="+memberPassword)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("amble run %q: %v\n%s", args, err, out)
		}
		records, _ := os.ReadFile(filepath.Join(dir, "out", "page.jsonl"))
		return bytes.Count(records, []byte("\n"))
	}
	recorded := amble("--record", "m.archive")
	data, err := os.ReadFile(filepath.Join(dir, "m.archive"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter", "s3ssion-number", "csrf-of-the-form", "v1sit-cookie"} {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("the archive holds %s", secret)
		}
	}
	server.Close() // nobody is there any more
	if got := amble("--replay", "m.archive"); got != recorded || got != 7 {
		t.Errorf("%d records, replayed %d", recorded, got)
	}
}
