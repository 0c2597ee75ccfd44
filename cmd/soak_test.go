package cmd

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/schedule"
	"github.com/amblecrawl/amble/fixtures"
)

// soakCrawl is one of the crawls that a daemon lives with.
type soakCrawl struct {
	name, seeds, scope string
	spec               schedule.Spec
	deadline           string
}

// soakCrawls share hosts, and their schedules every rule for overlaps and for what
// was missed.
var soakCrawls = []soakCrawl{
	{name: "shop", seeds: "[http://books.example/]", spec: schedule.Spec{Cron: "@every 20s", CatchUp: schedule.None}},
	{name: "news", seeds: "[http://news.example/]", spec: schedule.Spec{Cron: "*/15 * * * * *", Overlap: schedule.Queue, CatchUp: schedule.All}},
	{name: "shelf", seeds: "[http://books.example/]", scope: "max_depth: 1", spec: schedule.Spec{Cron: "5/15 * * * * *", Overlap: schedule.Cancel}},
	{name: "wise", seeds: "[http://quotes.example/]", scope: `include: ["/", "/page/**"]`, spec: schedule.Spec{Cron: "@every 15s", Jitter: 4 * time.Second}},
	{name: "late", seeds: "[http://news.example/, http://quotes.example/author/edda-rosenqvist.html]", scope: `include: ["/", "/2026/**", "/author/*"]`,
		spec: schedule.Spec{Cron: "0/30 * * * * *", Timezone: "Europe/Berlin", CatchUp: schedule.All}, deadline: "4s"},
}

const (
	soakDelay = 20 * time.Millisecond
	// soakQuotes is longer than a daemon takes to be back: it must know who was asked.
	soakQuotes = 600 * time.Millisecond
)

// config is that of a crawl, whose records lie in a folder for each run.
func (c *soakCrawl) config(web *fixtures.Web) string {
	text := "name: " + c.name + "\nseeds: " + c.seeds + "\nscope: {drop_params: [utm_*], " + c.scope + "}\n" +
		"politeness: {agent: soakbot, contact: a@b.example, delay: " + soakDelay.String() +
		", hosts: {quotes.example: {delay: " + soakQuotes.String() + "}}}\n" +
		"fetch:\n  allow_private: true\n  resolve:\n"
	for host, addr := range web.Resolve() {
		text += fmt.Sprintf("    %s: %q\n", host, addr)
	}
	text += `commit: {pages: 8, interval: 100ms}
extract:
  book: {match: "/catalogue/*/index.html", fields: {title: {css: h1}, price: {css: .price_color, as: number}}}
  quote: {each: {css: .quote}, fields: {text: {css: .text}, author: {css: .author}}}
  article: {match: "**/2026/**", fields: {title: {css: h1}, published: {css: time, attr: datetime, as: date}}}
output: [{jsonl: "` + c.name + `/{run}/{type}.jsonl"}]
schedule: {cron: "` + c.spec.Cron + `"`
	for key, value := range map[string]string{
		"timezone": c.spec.Timezone, "overlap": string(c.spec.Overlap), "catch_up": string(c.spec.CatchUp), "deadline": c.deadline,
	} {
		if value != "" {
			text += ", " + key + ": " + value
		}
	}
	if c.spec.Jitter > 0 {
		text += ", jitter: " + c.spec.Jitter.String()
	}
	return text + "}\n"
}

// soak is a daemon of the real binary that is not left alone, and what has been seen of it.
type soak struct {
	web    *fixtures.Web
	dir    string
	now    *served // the life that goes on
	random *rand.Rand
	began  time.Time

	samples []soakSample
	lives   int
}

// soakSample is what a process took at one moment.
type soakSample struct {
	life                      int
	at                        time.Time
	memory, files, goroutines int64 // bytes of it are resident
	heap                      int64 // bytes, with what is not collected yet
}

// TestSoak lets a daemon live with five crawls that share hosts, for AMBLE_SOAK minutes
// or the better part of one. It is killed, stopped and given broken configs at random
// moments; the last third it is left alone but for its configs, so that what grows
// shows. Nothing may tell from the history, the records and the servers' account that
// it was not left alone.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the better part of a minute")
	}
	t.Parallel()
	lasts := soakFor(t)
	web, err := fixtures.Start(t.Context(), fixtures.Options{Hosts: contentHosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = web.Close() })
	s := &soak{web: web, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed(t), 7))}
	for i := range soakCrawls {
		s.write(t, &soakCrawls[i], soakCrawls[i].config(web))
	}
	sampled := make(chan struct{})
	s.start(t)
	s.began = time.Now()
	end, calm := s.began.Add(lasts), s.began.Add(lasts*2/3)
	starts := make(chan *served)
	go func() { defer close(sampled); s.sample(starts) }()
	for turn := 0; time.Now().Before(calm); turn++ {
		starts <- s.now
		s.disturb(t, turn, lasts)
		if turn%10 == 9 {
			t.Logf("after %v: %d disturbances", time.Since(s.began).Round(time.Second), turn+1)
		}
	}
	starts <- s.now
	for time.Now().Before(end) {
		time.Sleep(min(20*time.Second, time.Until(end)))
		if err := s.now.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatalf("it has ended by itself: %v\n%s", err, tail(&s.now.err))
		}
	}
	close(starts)
	<-sampled
	s.stop(t)
	s.judge(t)
}

// soakFor is how long it takes: AMBLE_SOAK minutes.
func soakFor(t *testing.T) time.Duration {
	text := os.Getenv("AMBLE_SOAK")
	if text == "" {
		return 45 * time.Second
	}
	minutes, err := strconv.ParseFloat(text, 64)
	if err != nil || minutes <= 0 {
		t.Fatalf("AMBLE_SOAK is %q, want a number of minutes", text)
	}
	return time.Duration(minutes * float64(time.Minute))
}

func (s *soak) write(t *testing.T, c *soakCrawl, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, c.name+".yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var dashboardAddress = regexp.MustCompile(`the dashboard is at (http://\S+)/`)

func (s *soak) start(t *testing.T) {
	t.Helper()
	s.lives++
	s.now = startServe(t, s.dir, "--listen", "127.0.0.1:0")
	awaiting(t, "the daemon to be there", func() bool { return dashboardAddress.MatchString(s.now.err.String()) })
}

// stop ends the daemon as an operator would.
func (s *soak) stop(t *testing.T) {
	t.Helper()
	if err := s.now.stop(syscall.SIGTERM); err != nil {
		t.Errorf("stopped, it ends with %v\n%s", err, tail(&s.now.err))
	}
	s.refuse(t)
}

// refuse expects nothing in the log of a life that only a fault of ours can put there.
func (s *soak) refuse(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(s.now.err.String()) {
		for _, bad := range []string{"panic", "a fault in amble", "goroutine ", "could not be written", "status=failed"} {
			if strings.Contains(line, bad) {
				t.Errorf("the daemon says: %s", line)
			}
		}
	}
}

// disturb does one of the things that a daemon must survive, in turn, after a while.
func (s *soak) disturb(t *testing.T, turn int, lasts time.Duration) {
	t.Helper()
	longest := 4 * time.Second
	if lasts > 5*time.Minute {
		longest = 30 * time.Second
	}
	time.Sleep(time.Duration(s.random.Int64N(int64(longest))))
	kill := func() {
		_ = s.now.stop(syscall.SIGKILL)
		s.refuse(t)
	}
	c := &soakCrawls[s.random.IntN(len(soakCrawls))]
	switch what := []string{"kill", "stop", "give way", "break", "kill", "kill while broken", "give way", "away"}[turn%8]; what {
	case "kill":
		kill()
		s.start(t)
		tell(t, "killed", 1)
	case "stop":
		s.stop(t)
		s.start(t)
		tell(t, "stopped", 1)
	case "give way": // to a newer binary, which is the same one here
		before := len(dashboardAddress.FindAllString(s.now.err.String(), -1))
		_ = s.now.Process.Signal(syscall.SIGUSR2)
		awaiting(t, "the binary to take over\n"+tail(&s.now.err), func() bool {
			return len(dashboardAddress.FindAllString(s.now.err.String(), -1)) > before
		})
		tell(t, "gave way", 1)
	case "away": // long enough for occurrences to be missed
		if lasts < 5*time.Minute {
			return
		}
		s.stop(t)
		time.Sleep(time.Minute + time.Duration(s.random.Int64N(int64(30*time.Second))))
		s.start(t)
		tell(t, "away for more than a minute", 1)
	case "break", "kill while broken":
		before := strings.Count(s.now.err.String(), "last_good_version_stays=true")
		s.write(t, c, "seeds: [\n")
		_ = s.now.Process.Signal(syscall.SIGHUP)
		awaiting(t, "word of the broken config", func() bool {
			return strings.Count(s.now.err.String(), "last_good_version_stays=true") > before
		})
		if what == "kill while broken" { // nothing good of it is left then
			kill()
			s.start(t)
		}
		time.Sleep(time.Duration(s.random.Int64N(int64(2 * time.Second))))
		s.write(t, c, c.config(s.web))
		_ = s.now.Process.Signal(syscall.SIGHUP)
		tell(t, what, 1)
	}
}

// sample looks at what the lives take, until there are no more.
func (s *soak) sample(lives <-chan *served) {
	life, n := <-lives, 1
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case next, more := <-lives:
			if !more {
				return
			}
			if next != life {
				life, n = next, n+1
			}
		case <-tick.C:
			if one, ok := sampleOf(life); ok {
				one.life = n
				s.samples = append(s.samples, one)
			}
		}
	}
}

var (
	goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)
	heapInUse  = regexp.MustCompile(`(?m)^go_memstats_heap_alloc_bytes (\S+)`)
)

// sampleOf looks at a process; false where it ended meanwhile, or the system does not tell.
func sampleOf(life *served) (s soakSample, ok bool) {
	s.at = time.Now()
	if runtime.GOOS == "linux" {
		proc := "/proc/" + strconv.Itoa(life.Process.Pid)
		status, err := os.ReadFile(proc + "/status")
		if err != nil {
			return s, false
		}
		_, rest, _ := strings.Cut(string(status), "VmRSS:")
		if fields := strings.Fields(rest); len(fields) > 0 {
			kib, _ := strconv.ParseInt(fields[0], 10, 64)
			s.memory = kib << 10
		}
		open, _ := os.ReadDir(proc + "/fd")
		s.files = int64(len(open))
	}
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(dashboardAddress.FindStringSubmatch(life.err.String())[1] + "/metrics")
	if err != nil {
		return s, false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	m, heap := goroutines.FindSubmatch(text), heapInUse.FindSubmatch(text)
	if err != nil || m == nil || heap == nil {
		return s, false
	}
	s.goroutines, _ = strconv.ParseInt(string(m[1]), 10, 64)
	bytes, err := strconv.ParseFloat(string(heap[1]), 64)
	s.heap = int64(bytes)
	return s, err == nil
}

// tail is the end of what a process has said.
func tail(s *saying) string {
	text := s.String()
	return text[max(0, len(text)-4000):]
}
