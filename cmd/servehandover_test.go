//go:build unix

package cmd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
)

// place puts a file where a binary is looked for, as an upgrade does.
func place(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err == nil {
		if _, err = io.Copy(out, in); err == nil {
			err = out.Close()
		}
	}
	if err == nil {
		err = os.Rename(to+".new", to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// slowly is a host of 41 pages that notes whether it is asked too early.
type slowly struct {
	mu       sync.Mutex
	last     time.Time
	inFlight int
	early    []string
	requests int
}

const slowlyDelay = 50 * time.Millisecond

func (s *slowly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	if since := time.Since(s.last); s.inFlight > 0 || since < slowlyDelay-2*time.Millisecond {
		s.early = append(s.early, fmt.Sprintf("%s after %v, beside %d", r.URL.Path, since, s.inFlight))
	}
	s.inFlight++
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html")
	if r.URL.Path == "/" {
		for i := range 40 {
			fmt.Fprintf(w, "<a href=/%d>x</a>", i)
		}
	}
	fmt.Fprintf(w, "<h1>%s</h1>", r.URL.Path)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.last = time.Now()
}

func (s *slowly) served() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// A newer binary takes over in the middle of a run, twice: the process stays, nobody who
// connects is turned away, and the run goes on without losing or repeating anything. A
// binary that is broken, or that cannot use a config, changes nothing.
func TestServeGivesWay(t *testing.T) {
	t.Parallel()
	host := &slowly{}
	web := httptest.NewServer(host)
	defer web.Close()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", "seeds: ['"+web.URL+"/']\npoliteness: {contact: a@b.example, delay: "+slowlyDelay.String()+"}\nfetch: {allow_private: true}\n"+
		"commit: {interval: 50ms}\nextract: {page: {fields: {title: {css: h1}}}}\noutput: [{jsonl: 'out/{run}.jsonl'}]\nschedule: {cron: '* * * * * *', overlap: skip}\n")
	amble, err := exec.LookPath("amble")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "amble")
	place(t, amble, binary)
	s := &served{Cmd: exec.Command("amble", "serve", ".", "-v", "--reload", "0", "--listen", "127.0.0.1:0")}
	s.Dir, s.Stderr, s.Path = dir, &s.err, binary
	s.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+string(filepath.ListSeparator)+os.Getenv("PATH")) // where it looks for itself
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill() })
	said := func(what string, times int) {
		t.Helper()
		awaiting(t, what+"\n"+tail(&s.err), func() bool { return strings.Count(s.err.String(), what) >= times })
	}
	more := func(n int) {
		t.Helper()
		until := host.served() + n
		awaiting(t, "more requests\n"+tail(&s.err), func() bool { return host.served() >= until })
	}
	give := func() {
		t.Helper()
		if err := s.Process.Signal(syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
	}
	said("the dashboard is at", 1)
	address := dashboardAddress.FindStringSubmatch(s.err.String())[1]
	asking, stop := context.WithCancel(t.Context())
	var asked, events atomic.Int64
	var watchers sync.WaitGroup
	watchers.Go(func() { askAllTheTime(asking, t, address, &asked) })
	watchers.Go(func() { watchAllTheTime(asking, address, &events) })

	more(5)
	write("broken", "this is no binary\n")
	place(t, filepath.Join(dir, "broken"), binary)
	give()
	said("this one goes on", 1)
	more(5)
	place(t, amble, binary)
	write("wrong.yaml", "seeds: [\n")
	give()
	said("this one goes on", 2)
	if !strings.Contains(s.err.String(), "wrong.yaml") {
		t.Errorf("it does not say which config is wrong:\n%s", tail(&s.err))
	}
	if err := os.Remove(filepath.Join(dir, "wrong.yaml")); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		more(5)
		before := events.Load()
		place(t, amble, binary)
		give()
		said("the dashboard is at "+address, 2+i)
		awaiting(t, "viewers to be back", func() bool { return events.Load() > before })
	}
	var finished []history.Run
	awaiting(t, "runs to finish\n"+tail(&s.err), func() bool {
		finished = finished[:0]
		for _, r := range runsOf(t, dir, "--no-skipped") {
			if r.Status == history.Finished {
				finished = append(finished, r)
			}
		}
		return len(finished) >= 3
	})
	stop()
	watchers.Wait()
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, tail(&s.err))
	}
	checkServed(t, dir)
	for _, r := range runsOf(t, dir, "--no-skipped") {
		if r.Status != history.Finished && r.Status != history.Suspended {
			t.Errorf("run %d: %s, %s", r.Number, r.Status, r.Reason)
		}
	}
	host.mu.Lock()
	defer host.mu.Unlock()
	if len(host.early) > 0 {
		t.Errorf("asked too early: %v", host.early)
	}
	if asked.Load() < 20 {
		t.Errorf("only %d requests were answered", asked.Load())
	}
	if n := strings.Count(s.err.String(), "giving way"); n != 2 {
		t.Errorf("it gave way %d times", n)
	}
}

// askAllTheTime expects every connection to be taken, and an answer to each request that
// is not cut off.
func askAllTheTime(ctx context.Context, t *testing.T, address string, asked *atomic.Int64) {
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, to)
		if err != nil && ctx.Err() == nil {
			t.Errorf("turned away: %v", err)
		}
		return c, err
	}}}
	for ctx.Err() == nil {
		if answer, err := client.Get(address + "/healthz"); err == nil {
			_ = answer.Body.Close()
			asked.Add(1)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// watchAllTheTime reads events, and comes again when they end, as a browser does.
func watchAllTheTime(ctx context.Context, address string, events *atomic.Int64) {
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/api/v1/crawls/a/events", nil)
		if err != nil {
			return
		}
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			lines := bufio.NewScanner(answer.Body)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				if strings.HasPrefix(lines.Text(), "data: ") {
					events.Add(1)
				}
			}
			_ = answer.Body.Close()
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A socket that a service manager passes is taken, and the manager told of the start and
// of the end; one that others can reach is not taken without a token.
func TestServeUnderAManager(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("seeds: ['http://127.0.0.1:9/']\npoliteness: {contact: a@b.example}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	short, err := os.MkdirTemp("", "amble") // sockets have short names
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(short, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	start := func(listen string) (*served, net.Listener) {
		t.Helper()
		l, err := net.Listen("tcp", listen)
		if err != nil {
			t.Fatal(err)
		}
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		// LISTEN_PID must be that of the process, which only it knows.
		s := &served{Cmd: exec.Command("sh", "-c", "LISTEN_PID=$$ exec amble serve . -v")}
		s.Dir, s.Stderr, s.ExtraFiles = dir, &s.err, []*os.File{file}
		s.Env = append(os.Environ(), "LISTEN_FDS=1", "NOTIFY_SOCKET="+filepath.Join(short, "notify"))
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Process.Kill() })
		return s, l
	}
	told := func() string {
		t.Helper()
		data := make([]byte, 100)
		if err := manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		n, err := manager.Read(data)
		if err != nil {
			t.Fatal(err)
		}
		return string(data[:n])
	}
	s, l := start("127.0.0.1:0")
	defer l.Close()
	if got := told(); got != "READY=1" {
		t.Errorf("the manager is told %q", got)
	}
	answer, err := http.Get("http://" + l.Addr().String() + "/readyz")
	if err != nil {
		t.Fatalf("%v\n%s", err, tail(&s.err))
	}
	_ = answer.Body.Close()
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, tail(&s.err))
	}
	if got := told(); got != "STOPPING=1" {
		t.Errorf("the manager is told %q", got)
	}
	s, l = start("0.0.0.0:0")
	defer l.Close()
	if err := s.Wait(); err == nil || !strings.Contains(s.err.String(), "a token is needed") {
		t.Errorf("a socket for everybody, without a token: %v\n%s", err, tail(&s.err))
	}
}
