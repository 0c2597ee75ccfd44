package cmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/fixtures/shelf"
)

var shelved = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// shelfServer serves a bucket named shelf; front, when it is not nil, may answer in its
// place.
func shelfServer(t *testing.T, front func(w http.ResponseWriter, r *http.Request, key string) bool) (*shelf.Shelf, string) {
	t.Helper()
	s := shelf.New("shelf")
	inner := s.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/shelf/")
		if front == nil || r.URL.Query().Has("list-type") || !front(w, r, key) {
			inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return s, server.URL
}

// noise is that of an object, the same in every test.
func noise(seed byte, size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // it does not fail
	return b
}

func sha(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// downloadsIn writes the config of a crawl of the bucket.
func downloadsIn(t *testing.T, endpoint, more string) string {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf(`name: files
connections:
  shelf: {url: "s3://shelf", endpoint: "%s", access_key: id, secret_key: "${SHELF_SECRET}"}
fetch: {allow_private: true, retries: 2}
output: [{jsonl: "out/{type}.jsonl"}]
%s`, endpoint, more)
	if err := os.WriteFile(filepath.Join(dir, "crawl.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

var shelfSecret = []string{"SHELF_SECRET=hunter2hunter2"}

// manifestOf reads the manifest of a run, by the last part of the files' URLs.
func manifestOf(t *testing.T, dir string) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "out/file.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for line := range bytes.Lines(text) {
		var r map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		_, key, _ := strings.Cut(r["_requested"].(string), "://")
		_, key, _ = strings.Cut(key, "/")
		if all[key] != nil {
			t.Errorf("two records of %s", key)
		}
		all[key] = r
	}
	return all
}

// filesBelow are the files in a folder, with their SHA-256.
func filesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = sha(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every way of a file has its clear outcome, and the rest goes on.
func TestDownloadOutcomes(t *testing.T) {
	t.Parallel()
	small := noise(1, 1000)
	var mu sync.Mutex
	asked := map[string]int{}
	s, endpoint := shelfServer(t, func(w http.ResponseWriter, r *http.Request, key string) bool {
		mu.Lock()
		asked[key]++
		n := asked[key]
		mu.Unlock()
		switch key {
		case "denied":
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code></Error>")
		case "gone":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
		case "truncated":
			w.Header().Set("Content-Length", "1000")
			w.Write(small[:500])
		case "once-truncated":
			if n > 1 {
				return false
			}
			w.Header().Set("Content-Length", "1000")
			w.Write(small[:500])
		case "wrong-sum":
			w.Header().Set("ETag", `"00112233445566778899aabbccddeeff"`)
			w.Write(small)
		case "wrong-crc":
			w.Header().Set("x-amz-checksum-crc32", "AAAAAA==")
			w.Write(small)
		case "slow-down":
			if n > 1 {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "<Error><Code>SlowDown</Code></Error>")
		default:
			return false
		}
		return true
	})
	long := strings.Repeat("ä", 150)
	for _, key := range []string{
		"plain", "denied", "gone", "truncated", "once-truncated", "wrong-sum", "wrong-crc", "slow-down", "deep/er/file.txt",
		"../../escape", "a/../b", long, long + "2", "Case", "case", "taken", "taken/below", "folder/", ".amble-files/x", "double//slash", "empty", "large",
		"excluded/x",
	} {
		s.Put(key, shelf.Bytes(small, shelved))
	}
	s.Put("empty", shelf.Bytes(nil, shelved))
	s.Put("large", shelf.Zeros(2<<20, shelved))
	dir := downloadsIn(t, endpoint, `
seeds: [{bucket: shelf, exclude: ["excluded/**"]}]
downloads: {to: files, name: "{path}", max_size: 1MiB, min_free: 0B}
`)
	out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(out, "hunter2") {
		t.Error("the secret is shown")
	}
	m := manifestOf(t, dir)
	files := filesBelow(t, filepath.Join(dir, "files"))
	kept := 0
	for key, r := range m {
		path, _ := r["path"].(string)
		if r["status"] != "fetched" {
			if r["reason"] == nil || r["detail"] == nil || path != "" {
				t.Errorf("%s: %v", key, r)
			}
			continue
		}
		kept++
		if got, ok := files[filepath.FromSlash(path)]; !ok || got != r["sha256"] {
			t.Errorf("%s: the file %s is %s, and %v is said", key, path, got, r)
		}
	}
	if kept != len(files) {
		t.Errorf("%d files, of which the manifest has %d: %v", len(files), kept, files)
	}
	for key, want := range map[string]string{
		"denied": "http_4xx", "gone": "http_4xx", "truncated": "truncated", "wrong-sum": "checksum", "wrong-crc": "checksum", "large": "too_large",
	} {
		if m[key]["reason"] != want {
			t.Errorf("%s: %v", key, m[key])
		}
	}
	for key, path := range map[string]string{
		"plain": "plain", "once-truncated": "once-truncated", "slow-down": "slow-down", "deep/er/file.txt": "deep/er/file.txt", "empty": "empty",
		"Case": "Case", "case": "case", "?key=..%2F..%2Fescape": "%2E%2E/%2E%2E/escape", "?key=a%2F..%2Fb": "a/%2E%2E/b",
		".amble-files/x": "%2Eamble-files/x", "double//slash": "double/%/slash",
	} {
		if m[key]["path"] != path {
			t.Errorf("%s is at %v, not %s: %v", key, m[key]["path"], path, m[key])
		}
	}
	if a, b := m["taken"], m["taken/below"]; (a["status"] == "fetched") == (b["status"] == "fetched") || a["reason"] != "file" && b["reason"] != "file" {
		t.Errorf("a file and a folder of one name: %v and %v", a, b)
	}
	if m["excluded/x"] != nil || m["folder/"] != nil {
		t.Error("what is excluded was fetched")
	}
	if rest, err := filepath.Glob(filepath.Join(dir, "files/.amble-files/*")); err != nil || len(rest) > 0 {
		t.Errorf("left behind: %v %v", rest, err)
	}
	if out, err := ambleIn(t, dir, nil, "audit", ".amble/files"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}

	// A second run fetches nothing that is there.
	before, _ := s.Asked()
	if out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if after, _ := s.Asked(); after != before {
		t.Errorf("a second run asked for %d files that are there", after-before)
	}
	if m := manifestOf(t, dir); m["plain"]["status"] != "unchanged" || m["plain"]["path"] != "plain" || m["denied"]["reason"] != "http_4xx" {
		t.Errorf("the second run says %v and %v", m["plain"], m["denied"])
	}
}

// Missing buckets and wrong credentials say so.
func TestBucketsThatAreNot(t *testing.T) {
	t.Parallel()
	_, endpoint := shelfServer(t, nil)
	dir := downloadsIn(t, endpoint, "seeds: [{bucket: shelf}]\n")
	config, err := os.ReadFile(filepath.Join(dir, "crawl.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config = bytes.Replace(config, []byte("s3://shelf"), []byte("s3://nothing"), 1)
	if err := os.WriteFile(filepath.Join(dir, "crawl.yaml"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml")
	if err == nil || !strings.Contains(out, "no such bucket") {
		t.Errorf("%v\n%s", err, out)
	}

	// Something else answers in its place.
	page := httptest.NewServer(text("text/html", "<html>hi</html>"))
	defer page.Close()
	dir = downloadsIn(t, page.URL, "seeds: [{bucket: shelf}]\n")
	out, err = ambleIn(t, dir, shelfSecret, "run", "crawl.yaml", "--set", "fetch.retries=0")
	if err == nil || !strings.Contains(out, "protocol  1") || !strings.Contains(out, `the answer is not the listing of a bucket but "text/html"`) {
		t.Errorf("%v\n%s", err, out)
	}
}

// A large file comes in parts, each a request, and goes on where it was killed.
func TestKilledDownloads(t *testing.T) {
	t.Parallel()
	large := noise(2, 40<<20)
	fill := func() (*shelf.Shelf, string) {
		s, endpoint := shelfServer(t, func(_ http.ResponseWriter, r *http.Request, key string) bool {
			if strings.HasPrefix(key, "large") {
				time.Sleep(20 * time.Millisecond) // so that kills meet it
			}
			return false
		})
		for i := range 300 {
			s.Put(fmt.Sprintf("small/%d", i), shelf.Bytes(noise(byte(i%7), 2000+i%7), shelved))
		}
		for i := range 3 {
			s.Put(fmt.Sprintf("large/%d", i), shelf.Bytes(large[:(i+1)*13<<20], shelved))
		}
		return s, endpoint
	}
	const more = `
seeds: [{bucket: shelf}]
downloads: {to: files, name: "{path}", parts_from: 8MiB, part_size: 2MiB, min_free: 0B}
commit: {pages: 8, interval: 10ms}
`
	calm, endpoint := fill()
	dir := downloadsIn(t, endpoint, more)
	if out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	requests, whole := calm.Asked()
	want, wantFiles := records(t, filepath.Join(dir, "out/file.jsonl")), filesBelow(t, filepath.Join(dir, "files"))
	if len(want) != 303 || len(wantFiles) != 303 || requests != 300+7+13+20 {
		t.Fatalf("%d records, %d files, %d requests", len(want), len(wantFiles), requests)
	}
	s, endpoint := fill()
	dir = downloadsIn(t, endpoint, more)
	kills := killedRuns(t, dir, shelfSecret, 6)
	got, gotFiles := records(t, filepath.Join(dir, "out/file.jsonl")), filesBelow(t, filepath.Join(dir, "files"))
	if strings.Join(got, "") != strings.Join(want, "") {
		t.Errorf("after %d kills %d records differ from the %d of a calm run", kills, len(got), len(want))
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("%s\nnot\n%s", got[i], want[i])
			}
		}
	}
	if !maps.Equal(gotFiles, wantFiles) {
		maps.DeleteFunc(gotFiles, func(name, sum string) bool { return wantFiles[name] == sum })
		t.Errorf("after %d kills these files differ: %v", kills, gotFiles)
	}
	_, bytes := s.Asked()
	t.Logf("%d kills, %d bytes of %d asked for again", kills, bytes-whole, whole)
	// What is on its way at a kill, and a little for each part.
	if again := bytes - whole; again > int64(kills)*8*(1<<20+512<<10) {
		t.Errorf("%d bytes were fetched again after %d kills", again, kills)
	}
}

// An object that changes between its parts is begun anew, and never mixed.
func TestChangedObjects(t *testing.T) {
	t.Parallel()
	old, fresh := noise(3, 10<<20), noise(4, 9<<20)
	var mu sync.Mutex
	parts := 0
	var s *shelf.Shelf
	s, endpoint := shelfServer(t, func(_ http.ResponseWriter, r *http.Request, key string) bool {
		mu.Lock()
		defer mu.Unlock()
		if parts++; parts == 3 {
			s.Put("file", shelf.Bytes(fresh, shelved.Add(time.Hour)))
		}
		return false
	})
	s.Put("file", shelf.Bytes(old, shelved))
	dir := downloadsIn(t, endpoint, `
seeds: [{bucket: shelf}]
downloads: {to: files, name: "{path}", parts_from: 4MiB, part_size: 1MiB, min_free: 0B}
`)
	out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := manifestOf(t, dir)["file"]
	if r["status"] != "fetched" || r["sha256"] != sha(fresh) || filesBelow(t, filepath.Join(dir, "files"))["file"] != sha(fresh) {
		t.Errorf("%v", r)
	}
}

// fileSite is a site whose pages lead to files.
func fileSite(t *testing.T, handle map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := handle[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func text(mediaType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		fmt.Fprint(w, body)
	}
}

// Files that pages lead to are fetched as politely as pages, and pages lead to no
// buckets.
func TestFilesOfPages(t *testing.T) {
	t.Parallel()
	pdf, cover, resumed := noise(5, 3000), noise(6, 2000), noise(7, 12<<20)
	broken := 0
	site := fileSite(t, map[string]http.HandlerFunc{
		"/robots.txt": text("text/plain", "User-agent: *\nDisallow: /secret.pdf\n"),
		"/": text("text/html", `<h1>Books</h1><img class=cover src=/img/cover.jpg>
			<a href=/a.pdf>a</a> <a href=/b.pdf>the same</a> <a href=/secret.pdf>x</a> <a href=/moved.pdf>m</a> <a href=/none.pdf>n</a>
			<a href=/big.bin.pdf>big</a> <a href="blob://shelf/x.pdf">no</a> <a href="file:///etc/passwd.pdf">no</a> <a href="s3://shelf/y.pdf">no</a>`),
		"/a.pdf":         text("application/pdf", string(pdf)),
		"/b.pdf":         text("application/pdf", string(pdf)),
		"/secret.pdf":    text("application/pdf", "secret"),
		"/moved.pdf":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there/m.pdf", http.StatusFound) },
		"/there/m.pdf":   text("application/pdf", "moved"),
		"/img/cover.jpg": text("image/jpeg", string(cover)),
		"/big.bin.pdf": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			if broken++; broken == 1 { // breaks off at 10 MiB, and has to be gone on with
				w.Header().Set("Accept-Ranges", "bytes")
				w.Header().Set("Content-Length", strconv.Itoa(len(resumed)))
				w.Write(resumed[:10<<20])
				return
			}
			if r.Header.Get("Range") != "bytes=10485760-" && r.Header.Get("Range") != fmt.Sprintf("bytes=10485760-%d", len(resumed)-1) || r.Header.Get("If-Range") != `"v1"` {
				t.Errorf("it is gone on with by %v", r.Header)
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(resumed))
		},
	})
	dir := t.TempDir()
	config := fmt.Sprintf(`name: files
seeds: ["%s/"]
links: [{css: "a[href$='.pdf']", download: true}]
politeness: {delay: 1ms}
fetch: {allow_private: true, retries: 1}
extract:
  book:
    fields: {title: {css: h1}, cover: {css: .cover, attr: src, as: url, download: true}}
downloads: {to: files, name: "{path}", dedup: true, min_free: 0B, sha256sums: SUMS}
output: [{jsonl: "out/{type}.jsonl"}]
`, site.URL)
	for name, body := range map[string]string{"crawl.yaml": config, "SUMS": sha(cover) + "  img/cover.jpg\n" + sha([]byte("other")) + " *there/m.pdf\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := ambleIn(t, dir, nil, "run", "crawl.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := manifestOf(t, dir)
	a, b := m["a.pdf"], m["b.pdf"]
	if a["status"] == "deduplicated" {
		a, b = b, a
	}
	if a["status"] != "fetched" || a["type"] != "application/pdf" || b["status"] != "deduplicated" || b["deduplicated_of"] != a["_requested"] || b["path"] != a["path"] {
		t.Errorf("two of one content: %v\n%v", a, b)
	}
	if r := m["secret.pdf"]; r["status"] != "skipped" || r["reason"] != "disallowed" {
		t.Errorf("disallowed: %v", r)
	}
	if r := m["moved.pdf"]; r["reason"] != "checksum" {
		t.Errorf("moved, and not as the sums say: %v", r)
	}
	if r := m["none.pdf"]; r["reason"] != "http_4xx" {
		t.Errorf("missing: %v", r)
	}
	if r := m["img/cover.jpg"]; r["status"] != "fetched" || r["sha256"] != sha(cover) {
		t.Errorf("of a field: %v", r)
	}
	if r := m["big.bin.pdf"]; r["status"] != "fetched" || r["sha256"] != sha(resumed) {
		t.Errorf("gone on with: %v", r)
	}
	if len(m) != 7 {
		t.Errorf("%d records: %v", len(m), m)
	}
	if files := filesBelow(t, filepath.Join(dir, "files")); len(files) != 3 {
		t.Errorf("%d files: %v", len(files), files)
	}
	if out, err := ambleIn(t, dir, nil, "audit", ".amble/files"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Files go from one bucket to another, named by their content.
func TestFilesToABucket(t *testing.T) {
	t.Parallel()
	s, endpoint := shelfServer(t, nil)
	for i := range 20 {
		s.Put(fmt.Sprintf("in/%d.txt", i), shelf.Bytes(noise(byte(i%5), 100), shelved))
	}
	dir := downloadsIn(t, endpoint, `
seeds: [{bucket: shelf, prefix: in/, include: ["*.txt"]}]
downloads: {to: "file:store", name: "{sha256:2}/{sha256}{ext}", dedup: true, min_free: 0B}
`)
	store := filepath.Join(dir, "store")
	if err := os.Mkdir(store, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files := filesBelow(t, store)
	for name, got := range files {
		if name != filepath.Join(got[:2], got+".txt") {
			t.Errorf("%s holds %s", name, got)
		}
	}
	twice := 0
	for _, r := range manifestOf(t, dir) {
		if r["status"] == "deduplicated" {
			twice++
		}
	}
	if len(files) != 5 || twice != 15 {
		t.Errorf("%d files, %d deduplicated", len(files), twice)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".amble/files/files/.amble-files/*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// killedRuns kills a run so many times while its files come, and then lets it end.
func killedRuns(t *testing.T, dir string, env []string, times int) (kills int) {
	t.Helper()
	for i := range times {
		cmd := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		if killedWhen(t, cmd, func() bool { return sizeBelow(filepath.Join(dir, "files")) > int64(i+1)*10<<20 }) {
			kills++
		}
	}
	if out, err := ambleIn(t, dir, env, "run", "crawl.yaml"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if kills == 0 {
		t.Error("it was never killed")
	}
	return kills
}

// sizeBelow is how many bytes are in the files of a folder.
func sizeBelow(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // a file that is renamed meanwhile
		}
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

// The example of docs/downloads.md does what it says.
func TestDownloadExample(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/downloads.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```yaml\n")
	config, _, found := strings.Cut(rest, "```")
	if !found || !strings.HasPrefix(config, "# reports.yaml") {
		t.Fatal("the page does not begin with its example")
	}
	s := shelf.New("reports")
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	for _, key := range []string{"2026/march/summary.pdf", "2026/march/raw.csv", "2026/a.pdf", "2025/old.pdf"} {
		s.Put(key, shelf.Bytes([]byte(key), shelved))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "reports.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"S3_ENDPOINT=" + server.URL, "S3_ACCESS_KEY=id", "S3_SECRET_KEY=hunter2hunter2"}
	for i, args := range [][]string{
		{"lint", "reports.yaml"}, {"run", "reports.yaml"}, {"explain", "reports.yaml", "blob://archive/2026/march/summary.pdf"},
		{"audit", ".amble/reports"}, {"run", "reports.yaml"},
	} {
		out, err := ambleIn(t, dir, env, args...)
		if err != nil {
			t.Fatalf("amble %v: %v\n%s", args, err, out)
		}
		if asked, _ := s.Asked(); i > 0 && asked != 2 {
			t.Errorf("after amble %v %d objects have been asked for", args, asked)
		}
	}
	files := filesBelow(t, filepath.Join(dir, "files"))
	m := manifestOf(t, dir)
	if len(files) != 2 || len(m) != 2 || m["2026/march/summary.pdf"]["path"] != "march/summary.pdf" || m["2026/a.pdf"]["status"] != "unchanged" {
		t.Errorf("%v\n%v", files, m)
	}
}
