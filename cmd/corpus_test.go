package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// corpus is documentation that real people wrote with a real tool, served by a
// real server: Debian's python3.11-doc and nginx.
const corpus = "/usr/share/doc/python3.11/html"

const corpusAddr = "127.0.0.77"

const corpusConfig = `
name: pydocs
seeds: ["http://%[1]s/"]
links:
  - {css: "a[href], area[href], link[href]"}
  - {css: "img[src], script[src], iframe[src], source[src]", attr: src}
politeness: {agent: corpusbot, contact: https://corpus.example/bot, delay: 0s, concurrency: 8}
fetch: {allow_private: true, workers: 8}
extract:
  page:
    fields:
      title: {css: title, required: true}
      headings: {css: "h1, h2", all: true}
      module: {css: 'section[id^="module-"] > h1 code'}
      summary: {css: 'section[id^="module-"] > p'}
output: [{jsonl: "{type}.jsonl"}]
commit: {pages: 32, interval: 50ms}
`

// TestCorpus crawls the documentation and compares what was requested with
// what wget2 --recursive requests of the same server.
//
// wget2 also reads style sheets, which amble does not: what only they refer to
// is left out of the comparison. Nothing else differs.
func TestCorpus(t *testing.T) {
	t.Parallel()
	server := serveCorpus(t)
	wget := server.requests(t, func() {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "wget2", "--recursive", "--level=0", "--quiet", "--robots=on",
			"--directory-prefix", dir, "http://"+server.addr+"/")
		if out, err := cmd.CombinedOutput(); err != nil && len(out) > 0 {
			t.Logf("wget2: %v: %s", err, out) // a 404 gives it an exit status too
		}
	})
	dir := t.TempDir()
	config := writeCorpusConfig(t, dir, server.addr)
	own := server.requests(t, func() {
		if out, err := exec.CommandContext(t.Context(), "amble", "run", config).CombinedOutput(); err != nil {
			t.Fatalf("amble run: %v\n%s", err, out)
		}
	})
	compareRequests(t, own, wget)
	for url, n := range own {
		if n != 1 {
			t.Errorf("%s was requested %d times", url, n)
		}
	}
	records := corpusRecords(t, dir)
	checkCorpusRecords(t, records, own)
	t.Run("killed", func(t *testing.T) { corpusKilled(t, server, records) })
}

// corpusKilled kills a crawl of the documentation three times and expects the records of
// the undisturbed one, each once.
func corpusKilled(t *testing.T, server *corpusServer, want []corpusRecord) {
	disturbed := t.TempDir()
	config := writeCorpusConfig(t, disturbed, server.addr)
	for kill := range 3 {
		// Each life ends once the output has grown by about a quarter.
		if !killedWhen(t, exec.Command("amble", "run", config), func() bool {
			data, _ := os.ReadFile(filepath.Join(disturbed, "page.jsonl")) // it may not be there yet
			return bytes.Count(data, []byte("\n")) >= (kill+1)*100
		}) {
			t.Fatal("the run ended before it was killed")
		}
	}
	out, err := exec.CommandContext(t.Context(), "amble", "run", config).CombinedOutput()
	if err != nil {
		t.Fatalf("amble run: %v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("resuming")) {
		t.Errorf("the last run does not say that it resumed:\n%s", out)
	}
	got := corpusRecords(t, disturbed)
	if !maps.Equal(counts(got), counts(want)) {
		t.Errorf("%d records after three kills, %d undisturbed", len(got), len(want))
	}
}

func compareRequests(t *testing.T, own, wget map[string]int) {
	t.Helper()
	sheets := referredByStyleSheets(t)
	for url := range own {
		if wget[url] == 0 {
			t.Errorf("amble alone requested %s", url)
		}
	}
	for url := range wget {
		if own[url] == 0 && !sheets[url] {
			t.Errorf("wget2 alone requested %s", url)
		}
	}
	if len(own) < 500 {
		t.Errorf("only %d URLs were requested", len(own))
	}
}

// checkCorpusRecords expects one record for each HTML page that was served.
func checkCorpusRecords(t *testing.T, records []corpusRecord, requested map[string]int) {
	t.Helper()
	of := map[string]int{}
	modules := 0
	for _, r := range records {
		of[r.URL]++
		if r.Title == "" || r.Key == "" {
			t.Errorf("a record without title or key: %+v", r)
		}
		if r.Module != "" && r.Summary != "" {
			modules++
		}
	}
	pages := 0
	for path := range requested {
		file := filepath.Join(corpus, filepath.FromSlash(path))
		if strings.HasSuffix(path, "/") {
			file = filepath.Join(file, "index.html")
		}
		if _, err := os.Stat(file); err != nil || !strings.HasSuffix(file, ".html") {
			continue
		}
		pages++
		if n := of["http://"+corpusHost(records)+path]; n != 1 {
			t.Errorf("%d records for %s", n, path)
		}
	}
	if len(records) != pages {
		t.Errorf("%d records for %d pages", len(records), pages)
	}
	if modules < 150 {
		t.Errorf("only %d modules with a summary", modules)
	}
	t.Logf("%d URLs requested, %d pages, %d records, %d modules with a summary", len(requested), pages, len(records), modules)
}

type corpusRecord struct {
	Title    string   `json:"title"`
	Headings []string `json:"headings"`
	Module   string   `json:"module"`
	Summary  string   `json:"summary"`
	URL      string   `json:"_url"`
	Key      string   `json:"_key"`
}

func corpusHost(records []corpusRecord) string {
	if len(records) == 0 {
		return ""
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(records[0].URL, "http://"), "/")
	return host
}

func corpusRecords(t *testing.T, dir string) []corpusRecord {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "page.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var records []corpusRecord
	for line := range bytes.Lines(data) {
		var r corpusRecord
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		records = append(records, r)
	}
	return records
}

// counts is a multiset of records, by everything they say of their page.
func counts(records []corpusRecord) map[string]int {
	n := map[string]int{}
	for _, r := range records {
		n[fmt.Sprintf("%+v", r)]++
	}
	return n
}

// referredByStyleSheets lists the files that the corpus's style sheets name.
func referredByStyleSheets(t *testing.T) map[string]bool {
	t.Helper()
	named := map[string]bool{}
	sheets, err := filepath.Glob(filepath.Join(corpus, "_static", "*.css"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sheet := range sheets {
		data, err := os.ReadFile(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.FieldsFunc(string(data), func(r rune) bool { return strings.ContainsRune("()\"' \n", r) }) {
			named[path.Join("/_static", part)] = true
		}
	}
	return named
}

func writeCorpusConfig(t *testing.T, dir, addr string) string {
	t.Helper()
	path := filepath.Join(dir, "pydocs.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, corpusConfig, addr), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// corpusServer is an nginx with an access log.
type corpusServer struct {
	addr string
	log  string
}

func serveCorpus(t *testing.T) *corpusServer {
	t.Helper()
	nginx := "/usr/sbin/nginx"
	for _, need := range []string{corpus, nginx, "/usr/bin/wget2"} {
		if _, err := os.Stat(need); err != nil {
			t.Skipf("%s is not installed: apt-get install python3.11-doc nginx-light wget2", need)
		}
	}
	dir := t.TempDir()
	s := &corpusServer{addr: net.JoinHostPort(corpusAddr, strconv.Itoa(freePort(t))), log: filepath.Join(dir, "access.log")}
	conf := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log %[1]s/error.log; worker_processes 1;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  log_format path '$request_uri';
  access_log %[1]s/access.log path;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server { listen %[2]s; root %[3]s; }
}`, dir, s.addr, corpus)
	confPath := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(confPath, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	// A worker that is not root must reach the log.
	cmd := exec.Command(nginx, "-c", confPath, "-g", "user root;")
	if os.Geteuid() != 0 {
		cmd = exec.Command(nginx, "-c", confPath)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		_ = cmd.Wait()
	})
	for range 500 {
		if resp, err := http.Head("http://" + s.addr + "/"); err == nil {
			_ = resp.Body.Close()
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nginx does not answer: %s", stderr.String())
	return nil
}

// requests counts what was requested of the server while do ran, but for
// robots.txt.
func (s *corpusServer) requests(t *testing.T, do func()) map[string]int {
	t.Helper()
	before := s.logged(t)
	do()
	n := map[string]int{}
	for _, path := range s.logged(t)[len(before):] {
		if path != "/robots.txt" {
			n[path]++
		}
	}
	return n
}

func (s *corpusServer) logged(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(func(yield func(string) bool) {
		for line := range strings.Lines(string(data)) {
			if !yield(strings.TrimSpace(line)) {
				return
			}
		}
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", corpusAddr+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
