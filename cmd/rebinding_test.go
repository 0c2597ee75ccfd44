package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/execution"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/monitor"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
)

// In these tests 127.0.0.2 is the Internet: the one loopback address that the
// dialer's check is told to let pass. All others are judged as ever.
const publicIP = "127.0.0.2"

func publicOnly(network, address string, c syscall.RawConn) error {
	if strings.HasPrefix(address, publicIP+":") {
		return nil
	}
	return politeness.DialControl(false)(network, address, c)
}

// lan has one port on the public address and on two private ones.
type lan struct {
	port    string
	serve   http.HandlerFunc
	private atomic.Int32 // connections to the private addresses
	public  atomic.Int32 // requests to the public one
}

func newLAN(t *testing.T, handler http.HandlerFunc) *lan {
	t.Helper()
	l := &lan{serve: handler}
	open, err := net.Listen("tcp", publicIP+":0")
	if err != nil {
		t.Skip("the system has a single loopback address:", err)
	}
	_, l.port, _ = net.SplitHostPort(open.Addr().String())
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.public.Add(1)
		w.Header().Set("Connection", "close") // each request is a new connection
		l.serve(w, r)
	})}
	go func() { _ = server.Serve(open) }()
	t.Cleanup(func() { _ = server.Close() })
	for _, host := range []string{"127.0.0.1", "::1"} {
		trap, err := net.Listen("tcp", net.JoinHostPort(host, l.port))
		if err != nil {
			t.Logf("no trap at %s: %v", host, err)
			continue
		}
		t.Cleanup(func() { _ = trap.Close() })
		go func() {
			for {
				conn, err := trap.Accept()
				if err != nil {
					return
				}
				l.private.Add(1)
				_ = conn.Close()
			}
		}()
	}
	return l
}

// names is a name server: for each name the answers to one question after the
// other, the last of them for good.
type names struct {
	mu      sync.Mutex
	answers map[string][][]string
	asked   map[string]int // questions for addresses of IPv4
}

// resolver serves the names on loopback and gives a resolver that asks there.
func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	n.asked = map[string]int{}
	go func() {
		buf := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := n.reply(buf[:size]); reply != nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (n *names) reply(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	n.mu.Lock()
	defer n.mu.Unlock()
	sequence, known := n.answers[name]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	} else {
		now := sequence[min(n.asked[name], len(sequence)-1)]
		for _, text := range now {
			addr := netip.MustParseAddr(text)
			header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET} // to be kept for no time at all
			switch {
			case q.Type == dnsmessage.TypeA && addr.Is4():
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
			case q.Type == dnsmessage.TypeAAAA && addr.Is6():
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
			}
		}
		if q.Type == dnsmessage.TypeA {
			n.asked[name]++
		}
	}
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// options ask the names and obey publicOnly; time is what the test says.
func (n *names) options(t *testing.T, now func() time.Time) fetch.Options {
	resolver := n.resolver(t)
	return fetch.Options{
		UserAgent: "bookbot", Timeout: 20 * time.Second, Now: now,
		Lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return resolver.LookupNetIP(ctx, "ip", host)
		},
		DialControl: publicOnly, ErrPrivate: politeness.ErrPrivateAddress,
	}
}

// A name that leads elsewhere each time it is asked for is connected to at the
// very address that was checked, or not at all.
func TestRebinding(t *testing.T) {
	lan := newLAN(t, func(http.ResponseWriter, *http.Request) {})
	n := &names{answers: map[string][][]string{
		"once.example":   {{publicIP}, {"127.0.0.1"}},
		"back.example":   {{publicIP}, {"127.0.0.1"}, {publicIP}, {"10.0.0.1", "127.0.0.1", "::1"}, {publicIP}, {"0.0.0.0"}},
		"mixed.example":  {{"127.0.0.1", "::1", publicIP}},
		"mixed2.example": {{publicIP, "::ffff:127.0.0.1", "169.254.169.254", "127.0.0.1"}},
		"inside.example": {{"127.0.0.1", "::1"}},
		"mapped.example": {{"::ffff:127.0.0.1"}},
		"zero.example":   {{"0.0.0.0", "::"}},
	}}
	var clock atomic.Int64
	now := func() time.Time { return time.Unix(clock.Load(), 0) }
	client, err := fetch.New(n.options(t, now))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	f := client.Fetcher()
	for _, want := range []struct {
		host   string
		passes []bool
	}{
		{"once.example", []bool{true, false, false}},
		{"back.example", []bool{true, false, true, false, true, false}},
		{"mixed.example", []bool{true, true}},
		{"mixed2.example", []bool{true, true}},
		{"inside.example", []bool{false, false}},
		{"mapped.example", []bool{false}},
		{"zero.example", []bool{false}},
	} {
		u, err := urls.Parse("http://" + want.host + ":" + lan.port + "/")
		if err != nil {
			t.Fatal(err)
		}
		for i, passes := range want.passes {
			before := lan.public.Load()
			_, err := f.Fetch(t.Context(), u, crawler.FetchOptions{})
			var failed *crawler.FetchError
			private := errors.As(err, &failed) && failed.Class == crawler.ClassPrivate
			if passes && err != nil || !passes && !private {
				t.Errorf("%s, answer %d: %v, want it to pass: %v", want.host, i, err, passes)
			}
			if got := lan.public.Load() - before; passes != (got == 1) {
				t.Errorf("%s, answer %d: %d requests", want.host, i, got)
			}
			n.mu.Lock()
			if got := n.asked[want.host]; got != i+1 {
				t.Errorf("%s was looked up %d times for %d connections", want.host, got, i+1)
			}
			n.mu.Unlock()
			clock.Add(3600) // the answer is forgotten
		}
	}
	if got := lan.private.Load(); got != 0 {
		t.Errorf("%d connections to private addresses", got)
	}
}

// odd are ways of writing a private address, at the port of the lan, that other
// programs were led by.
var odd = []string{
	"127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f.1", "0x7f000001", "2130706433",
	"017700000001", "00000177.0.0.01", "0x7f.0x0.0x0.0x1", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "①②⑦.⓪.⓪.①",
	"１２７.０.０.１", "127。0。0。1", "127．0．0．1", "0", "0.0.0.0", "0x0", "[::1]", "[0:0:0:0:0:0:0:1]",
	"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::127.0.0.1]",
	"[2002:7f00:1::]", "[::]", "user:password@127.0.0.1", "localhost", "LOCALHOST", "localhost.", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
	"169.254.169.254", "0xa9fea9fe", "[fd00:ec2::254]", "[fe80::1]", "10.0.0.1", "192.168.1", "100.64.0.1",
	"private.example", "PRIVATE.example.",
}

func TestOddAddresses(t *testing.T) {
	lan := newLAN(t, func(http.ResponseWriter, *http.Request) {})
	n := &names{answers: map[string][][]string{
		"private.example": {{"127.0.0.1"}}, "localhost": {{"127.0.0.1", "::1"}},
	}}
	client, err := fetch.New(n.options(t, time.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, host := range odd {
		u, err := urls.Parse("http://" + host + ":" + lan.port + "/")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_, err = client.Fetcher().Fetch(t.Context(), u, crawler.FetchOptions{})
		var failed *crawler.FetchError
		if !errors.As(err, &failed) || failed.Class != crawler.ClassPrivate {
			t.Errorf("%s, read as %s: %v", host, u.Hostname(), err)
		}
	}
	// What a browser does not take for an address is none here either.
	for _, host := range []string{"[::1%25lo]", "[fe80::1%eth0]", "127.0.0.256", "0x7g.1", "127.0.0.0x100", "1.2.3.4.5", "[127.0.0.1]", "127.0.0.1\\@x"} {
		if u, err := urls.Parse("http://" + host + ":" + lan.port + "/"); err == nil && u.Hostname() != "127.0.0.1" {
			t.Errorf("%s is read as %s", host, u.Hostname())
		}
	}
	if got := lan.private.Load(); got != 0 {
		t.Errorf("%d connections to private addresses", got)
	}
}

// A crawl of a public site that tries each way in: links, redirects, refreshes,
// sitemaps, robots.txt, other schemes. Each URL that a page, a sitemap or a file
// of seeds names ends in an outcome of its own, and no connection is made.
func TestPagesLeadNowherePrivate(t *testing.T) {
	var private []string
	for i, host := range append([]string{"$PRIVATE"}, odd...) {
		private = append(private, fmt.Sprintf("http://%s:$PORT/%d", strings.Replace(host, "$PRIVATE", "inner.example", 1), i))
	}
	lan := newLAN(t, nil)
	fill := strings.NewReplacer("$PORT", lan.port)
	lan.serve = func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.Host, ".")
		switch {
		case name == "hop" && r.URL.Path == "/robots.txt":
			http.Redirect(w, r, fill.Replace("http://127.0.0.1:$PORT/robots.txt"), http.StatusFound)
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		case r.URL.Path == "/sitemap.xml":
			_, _ = io.WriteString(w, `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
			for _, u := range []string{"http://127.0.0.1:$PORT/listed", "file:///etc/passwd", "http://inner.example:$PORT/listed"} {
				_, _ = io.WriteString(w, "<url><loc>"+fill.Replace(u)+"</loc></url>")
			}
			_, _ = io.WriteString(w, `</urlset>`)
		case r.URL.Path == "/moved.xml":
			http.Redirect(w, r, fill.Replace("http://127.0.0.1:$PORT/inner.xml"), http.StatusMovedPermanently)
		case r.URL.Path == "/index.xml":
			_, _ = io.WriteString(w, fill.Replace(`<sitemapindex><sitemap><loc>http://127.0.0.1:$PORT/of-index.xml</loc></sitemap></sitemapindex>`))
		case r.URL.Path == "/to-metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case r.URL.Path == "/to-file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/refresh":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, fill.Replace(`<meta http-equiv=refresh content="0; url=http://127.0.0.1:$PORT/refreshed">`))
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			for _, u := range append([]string{
				"/to-metadata", "/to-file", "/refresh", "http://hop.example:$PORT/", "file:///etc/passwd", "gopher://127.0.0.1:$PORT/_x",
				"ftp://127.0.0.1:$PORT/", "data:text/html,x", "javascript:alert(1)", "ws://127.0.0.1:$PORT/", "unix:/run/x.sock", "blob:http://x/y",
			}, private...) {
				_, _ = fmt.Fprintf(w, "<a href=%q>x</a>\n", fill.Replace(u))
			}
		}
	}
	n := &names{answers: map[string][][]string{
		"shop.example": {{publicIP}}, "hop.example": {{publicIP}}, "inner.example": {{"10.0.0.7", "127.0.0.1"}},
		"private.example": {{"127.0.0.1"}}, "localhost": {{"127.0.0.1", "::1"}},
	}}
	c, f := crawlThrough(t, n.options(t, nil), fill.Replace(`
name: shop
seeds: [http://shop.example:$PORT/, {sitemap: http://shop.example:$PORT/sitemap.xml}, {sitemap: http://shop.example:$PORT/moved.xml},
  {sitemap: http://shop.example:$PORT/index.xml}, {file: seeds.txt}]
scope: {hosts: ["*"]}
politeness: {agent: bookbot, contact: https://me.example, delay: 0s, concurrency: 8}
fetch: {retries: 0}
`), map[string]string{"seeds.txt": fill.Replace("http://127.0.0.1:$PORT/seed\nhttp://0x7f.1:$PORT/seed2\n")})

	want := map[string]crawler.Class{
		"http://shop.example:$PORT/": crawler.ClassFetched, "http://shop.example:$PORT/to-metadata": crawler.ClassRedirected,
		"http://shop.example:$PORT/to-file": crawler.ClassRedirectBad,
		"http://hop.example:$PORT/":         crawler.ClassPrivate, "http://169.254.169.254/latest/meta-data/": crawler.ClassPrivate,
		"http://127.0.0.1:$PORT/refreshed": crawler.ClassPrivate, "http://127.0.0.1:$PORT/listed": crawler.ClassPrivate,
		"http://inner.example:$PORT/listed": crawler.ClassPrivate,
		"http://127.0.0.1:$PORT/inner.xml":  crawler.ClassPrivate, "http://127.0.0.1:$PORT/of-index.xml": crawler.ClassPrivate,
		"http://127.0.0.1:$PORT/seed": crawler.ClassPrivate, "http://127.0.0.1:$PORT/seed2": crawler.ClassPrivate,
	}
	for _, u := range private {
		want[u] = crawler.ClassPrivate
	}
	for raw, class := range want {
		u, err := urls.Parse(fill.Replace(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		s, err := f.Lookup(u.Origin(), c.Canon.Key(u))
		if err != nil || s.Class != class {
			t.Errorf("%s: %s %s (%s), %v, want %s", raw, s.State, s.Class, s.Detail, err, class)
		}
	}
	if got := lan.private.Load(); got != 0 {
		t.Errorf("%d connections to private addresses", got)
	}
}

// crawlThrough runs a crawl in this process over a client of the test's own, and
// gives its state, open.
func crawlThrough(t *testing.T, o fetch.Options, text string, files map[string]string) (*crawl.Crawl, crawler.Frontier) {
	t.Helper()
	dir := t.TempDir()
	files["crawl.yaml"] = text
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, found := config.Load(filepath.Join(dir, "crawl.yaml"), config.Options{})
	if found.Failed() {
		t.Fatal(found)
	}
	log := slog.New(slog.DiscardHandler)
	f, err := frontier.Open(frontier.Options{Dir: cfg.State, Crawl: cfg.Name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	c, err := crawl.New(cfg, log, crawl.Past{Hosts: polite.Memory{State: f}})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	o.Guard, o.ErrRefused = c.Gate.Guard, politeness.ErrNotGranted
	if c.Client, err = fetch.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	book, err := polite.OpenLedger(cfg, cfg.State, "r1", false)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	set := cfg.Settings()
	set.RunID = "r1"
	engine, err := crawler.New(execution.Parts(c, f, monitor.New(time.Now), book, nil, &execution.Answers{}), set)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Run(t.Context(), cfg.EachSeed()); err != nil {
		t.Fatal(err)
	}
	return c, f
}
