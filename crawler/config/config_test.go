package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/urls"
)

const contact = "politeness: {contact: https://me.example/}\n"

// mustParse parses a config that is to be right.
func mustParse(t *testing.T, text string, set ...string) *Config {
	t.Helper()
	c, found := Parse("crawl.yaml", []byte(text), Options{Env: testEnv, Set: set})
	if found.Failed() {
		t.Fatal(found)
	}
	return c
}

// mistakes parses a config and gives its findings, one string each.
func mistakes(text string, set ...string) []string {
	_, found := Parse("crawl.yaml", []byte(text), Options{Env: testEnv, Set: set})
	var all []string
	for _, d := range found {
		all = append(all, d.String())
	}
	return all
}

func TestDefaults(t *testing.T) {
	dir := t.TempDir()
	c, found := Parse(filepath.Join(dir, "my shop.v2.yaml"), []byte("seeds: https://books.example/\n"+contact+"extract: {book: {fields: {a: {css: a}}}}\n"), Options{})
	if len(found) > 0 {
		t.Fatal(found)
	}
	want := &Config{
		Name:  "my-shop.v2",
		Seeds: []Seed{{URL: "https://books.example/"}},
		Scope: Scope{Hosts: []string{"books.example"}, Canonical: "ignore",
			Traps: Traps{Mode: "cut", Repeats: 3, Sessions: "strip", Facets: 5000, Stale: 200, Pattern: 200_000, NearDuplicates: "off"}},
		Politeness: Politeness{
			Agent: "amble", Contact: "https://me.example/", Delay: time.Second, Concurrency: 1, Robots: "obey",
			MaxCrawlDelay: time.Minute, MaxRetryAfter: 24 * time.Hour, Identity: Identity{Form: "string"},
			AdaptiveFactor: 2, MaxDelay: time.Minute, Timezone: "UTC", Group: "host",
			CircuitAfter: 25, CircuitGiveUp: 6 * time.Hour, RobotsUnreachable: "deny",
			Nofollow: "obey", RelNofollow: "follow", Noindex: "keep", Noarchive: "keep", TDMRep: "auto",
			Usage: Usage{Search: "record", AIInput: "record", AITrain: "record", TDM: "record", License: "record"},
		},
		Fetch:  Fetch{Workers: 64, Timeout: 30 * time.Second, MaxBody: 10 << 20, Retries: 3, ProxyBy: "host", Cookies: "off"},
		Commit: Commit{Pages: 256, Bytes: 8 << 20, Interval: 500 * time.Millisecond},

		History:   History{Runs: 1000, Days: 400},
		Schedule:  Schedule{Timezone: "UTC", Overlap: "skip", CatchUp: "one"},
		Downloads: defaultDownloads(dir),
		Extract: Extract{{Type: "book", Plugin: "selectors", Extractor: &testSelectors{
			Fields: []testField{{Name: "a", testSelector: testSelector{CSS: "a"}}},
		}}},
		Output: Outputs{{Name: "jsonl:out/{type}.jsonl", Plugin: "jsonl",
			Sink: &testSink{Path: filepath.Join(dir, "out/{type}.jsonl"), Mode: "plain"}}},
		Rejects: filepath.Join(dir, "out/_rejects.jsonl"),
		Drift:   Drift{Action: "warn", Threshold: 0.2, MinRecords: 20},
		Revisit: Revisit{Mode: "off", Output: "all", MinInterval: time.Hour, MaxInterval: 720 * time.Hour, Lastmod: "use", Unlinked: "keep"},
		State:   filepath.Join(dir, ".amble/my-shop.v2"),
		Grace:   10 * time.Second,
		File:    filepath.Join(dir, "my shop.v2.yaml"), Dir: dir,
		secrets: &secrets{},
		rejects: &testSink{Path: filepath.Join(dir, "out/_rejects.jsonl"), Mode: "plain"},
	}
	c.reading = reading{}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c, want)
	}
}

func defaultDownloads(dir string) Downloads {
	template, err := download.ParseTemplate("{host}/{path}")
	if err != nil {
		panic(err)
	}
	return Downloads{
		To: filepath.Join(dir, "files"), Name: "{host}/{path}", Type: "file", MaxSize: 10 << 30, PartsFrom: 256 << 20, PartSize: 64 << 20,
		MinFree: 1 << 30, Timeout: time.Hour, Existing: "update", SHA256: true, template: template,
	}
}

func TestEveryKeyIsDecoded(t *testing.T) {
	c, found := Load("testdata/good-every-key.yaml", Options{})
	if found.Failed() {
		t.Fatal(found)
	}
	dir := mustAbs(t, "testdata")
	c.secrets, c.reading = nil, reading{}
	if c.Extract[0].Schema == nil {
		t.Error("the schema was not compiled")
	}
	c.Extract[0].Schema = nil
	want := &Config{
		Name:  "everything",
		Seeds: []Seed{{URL: "http://127.0.0.1:8080/"}, {Sitemap: "http://127.0.0.1:8080/sitemap.xml.gz"}},
		Scope: Scope{
			Hosts: []string{"127.0.0.1:8080"}, Include: []Pattern{{Regex: "/a/[0-9]+$"}},
			Exclude: []Pattern{{Glob: "**/print/**"}, {Glob: "/x/*?sort=*"}}, MaxDepth: 2, MaxPages: 1000,
			Canonical: "only", DropParams: []string{"utm_*", "gclid"},
			Traps: Traps{Mode: "cut", Repeats: 5, Sessions: "keep", Facets: 100, Stale: 50, Pattern: 2000, NearDuplicates: "cut"},
		},
		Links: Links{Rules: []LinkRule{
			{Finder: &testLinks{CSS: "a[href]"}},
			{Finder: &testLinks{CSS: "img[data-next]", Attr: "data-next"}, Match: []Pattern{{Glob: "/a/**"}}, Exclude: []Pattern{{Regex: "[?]"}}, MaxDepth: 3, Priority: 7, LeadsTo: []string{"thing"}},
		}},
		Politeness: Politeness{Agent: "my-bot_X", Contact: "ops@me.example", Concurrency: 8, Robots: "ignore",
			AllowIgnoreRobots: true, MaxCrawlDelay: 2 * time.Minute, MaxRetryAfter: 90 * time.Minute,
			Adaptive: true, AdaptiveFactor: 2.5, MaxDelay: 90 * time.Second, Hours: "22:00-06:00", Timezone: "Europe/Berlin", Group: "domain",
			CircuitAfter: 8, CircuitGiveUp: 90 * time.Minute, RobotsUnreachable: "allow-after-month", Nofollow: "ignore", RelNofollow: "skip", Noindex: "drop", Noarchive: "drop", TDMRep: "always",
			Usage:    Usage{Search: "ignore", AIInput: "record", AITrain: "require-allow", TDM: "respect", License: "record"},
			Identity: Identity{Key: "/keys/bot.pem", Agent: "https://bot.example", Form: "dictionary"}},
		Fetch: Fetch{Workers: 4, Timeout: 5 * time.Second, MaxBody: 1_500_000, AllowPrivate: true,
			Headers: []Header{{"Accept-Language", "de"}}, TLS: TLS{MinVersion: "1.3"}, Proxy: []string{"http://127.0.0.1:3128"},
			ProxyBy: "request", Cookies: "host", Cache: &Cache{Dir: "/var/cache/amble", Size: 2 << 20}, NoProxy: []string{"10.0.0.0/8"}, Hosts: []FetchHost{{Host: "books.example", Proxy: []string{"direct"}}}, Resolve: []Resolve{
				{"books.example", netip.MustParseAddrPort("127.0.0.1:8080")}, {"[::1]:90", netip.MustParseAddrPort("[::1]:80")},
			}},
		Commit: Commit{Pages: 10, Bytes: 64 << 10, Interval: time.Second},

		Schedule: Schedule{Cron: "0 6 * * 1-5", Timezone: "Europe/Berlin", Overlap: "queue", CatchUp: "all", Jitter: 5 * time.Minute, Deadline: 12 * time.Hour},
		Extract: Extract{{Type: "thing", Plugin: "jsonld", Required: []string{"name", "offer.price"}, Extractor: &testOptions{
			Types: []string{"Product"}, Limits: map[string]int{"a": 1}, Depth: 7, Ratio: 0.5, Max: 1024,
			Any:     map[string]any{"a": []any{int64(1), "x", nil, true, 1.5}},
			Headers: map[string]string{"Accept": "text/html", "Version": "2"},
		}}},
		Output:  Outputs{{Name: "jsonl:out/all.jsonl", Plugin: "jsonl", Sink: &testSink{Path: filepath.Join(dir, "out/all.jsonl"), Mode: "gzip"}}},
		Rejects: filepath.Join(dir, "out/{type}.rejects.jsonl"), rejects: &testSink{Path: filepath.Join(dir, "out/{type}.rejects.jsonl"), Mode: "plain"},
		Drift: Drift{Action: "fail", Threshold: 0.5, MinRecords: 100},
		Revisit: Revisit{
			Mode: "adaptive", Output: "changes", MinInterval: 30 * time.Minute, MaxInterval: 168 * time.Hour, Lastmod: "ignore", Unlinked: "drop",
			MaxAge: []MaxAge{{"/news/**", time.Hour}, {"/**", 24 * time.Hour}},
		},
		State:   "/var/tmp/amble-state",
		Alerts:  []Alert{{Command: []string{"notify", "all"}, On: []string{"too_slow", "failure"}, SlowerThan: 2 * time.Hour, Timeout: 30 * time.Second, Template: "{{.Text}}", Type: "text/markdown", DebtOver: time.Hour}},
		History: History{Runs: 50, Days: 30, LedgerDays: 90},
		File:    "testdata/good-every-key.yaml", Dir: dir, Downloads: defaultDownloads(dir),
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c, want)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	c, found := Load("testdata/good-anchors.yaml", Options{})
	if found.Failed() {
		t.Fatal(found)
	}
	delay, two := 10*time.Second, 2
	want := []HostException{{Host: "a.example", Delay: &delay}, {Host: "b.example", Delay: &delay, Concurrency: &two}}
	for i, h := range c.Politeness.Hosts {
		if i >= len(want) || h.Host != want[i].Host || *h.Delay != delay || (h.Concurrency == nil) != (want[i].Concurrency == nil) {
			t.Errorf("%+v", h)
		}
	}
	c = mustParse(t, "seeds: https://a.example/\npoliteness: {contact: a@b.example, hosts: {a: {<<: [{delay: 1s}, {delay: 2s, concurrency: 3}], delay: 4s}}}\n")
	if h := c.Politeness.Hosts[0]; *h.Delay != 4*time.Second || *h.Concurrency != 3 {
		t.Errorf("own keys come before merged ones, earlier merges before later: %v %v", *h.Delay, *h.Concurrency)
	}
}

func TestEnvironment(t *testing.T) {
	c, found := Load("testdata/good-environment.yaml", Options{Env: testEnv})
	if found.Failed() {
		t.Fatal(found)
	}
	if c.Seeds[0].URL != "https://books.example/?key=s3cret-t0ken" || c.Politeness.Contact != "ops@example.org" ||
		c.Politeness.Delay != 2*time.Second || c.Fetch.Workers != 8 || c.Fetch.Timeout != 5*time.Second {
		t.Errorf("%+v", c)
	}
	if f := c.Extract[0].Extractor.(*testSelectors).Fields[0]; f.Regex != "cost ${" {
		t.Errorf("escape: %q", f.Regex)
	}
	if got := c.Redact("GET https://books.example/?key=s3cret-t0ken by ops@example.org"); got != "GET https://books.example/?key=${TOKEN} by ${CONTACT}" {
		t.Error(got)
	}
	got := mistakes("seeds: https://books.example/${TOKEN}\nscope: {hosts: a.example}\n" + contact)
	if len(got) != 1 || strings.Contains(got[0], "s3cret") {
		t.Error(got)
	}
}

func TestSecretsHideEachOther(t *testing.T) {
	s := &secrets{}
	s.add("abc", "${A}")
	s.add("abcdef", "${B}")
	s.add("x\"y", "${C}")
	s.add("${A}", "${D}")
	if got := s.hide(`=abc abcdef =x"y ` + fmt.Sprintf("%q", `x"y`)); got != "=${A} ${B} =${C} \"${C}\"" {
		t.Error(got)
	}
}

func TestOverrides(t *testing.T) {
	base := "seeds: [https://a.example/, https://b.example/]\npoliteness: &p {contact: https://me.example/, hosts: {api.example: {delay: 1s}}}\n"
	c := mustParse(t, base,
		"politeness.delay=2s", "fetch.workers=3", `politeness.hosts."api.example".delay=5s`, "seeds.1=https://c.example/x?a=b",
		"scope.hosts=[a.example, c.example, '*.z.example']", "scope.include=/a/**", "scope.exclude=*.pdf", "links=false",
		"fetch.resolve.h=127.0.0.1:80", "name=two", "name=three")
	if c.Politeness.Delay != 2*time.Second || c.Fetch.Workers != 3 || *c.Politeness.Hosts[0].Delay != 5*time.Second ||
		c.Seeds[1].URL != "https://c.example/x?a=b" || len(c.Scope.Hosts) != 3 || c.Scope.Include[0].Glob != "/a/**" ||
		c.Scope.Exclude[0].Glob != "*.pdf" || !c.Links.Off || len(c.Fetch.Resolve) != 1 || c.Name != "three" {
		t.Errorf("%+v", c)
	}
}

func TestOverrideMistakes(t *testing.T) {
	base := "seeds: [https://a.example/]\n" + contact
	for set, want := range map[string]string{
		"politeness.delay":          "--set:1:1: an override needs a key and a value (write --set politeness.delay=2s)",
		"=x":                        "--set:1:1: an override needs a key and a value (write --set politeness.delay=2s)",
		"a..b=x":                    "--set:1:1: an override needs a key and a value (write --set politeness.delay=2s)",
		`politeness."x=1`:           "--set:1:1: a quote in the key of an override is not closed (write --set politeness.delay=2s)",
		"politeness.delay=2":        "--set:1:18: politeness.delay: want a duration such as 500ms, 2s or 1m30s; found the number 2 (write 2s for seconds)",
		"politeness.dealy=2s":       "--set:1:1: unknown key politeness.dealy (did you mean delay?)",
		"seeds.7=https://b.example": "--set:1:1: seeds: the list has no position 7",
		"politeness.contact.x=1":    `--set:1:1: politeness.contact: there is the text "https://me.example/", which has no key x`,
		"fetch={workers: [}":        "--set:1:7: the value is not valid YAML: not valid YAML: could not find ']' or ',' token",
		"name=${NOPE}":              "--set:1:6: the environment variable NOPE is not set (set it, or give a default: ${NOPE:-...})",
		"politeness.contact=a b":    `--set:1:20: politeness.contact: want a URL or a mail address; found the text "a b"`,
	} {
		got := mistakes(base, set)
		if len(got) != 1 || got[0] != want && !strings.HasPrefix(want, "--set:1:7: the value is not valid YAML") {
			t.Errorf("%s: %q\nwant %q", set, got, want)
		}
	}
}

// An override of one use of an anchor leaves the other uses alone.
func TestOverrideOfAnAlias(t *testing.T) {
	c := mustParse(t, "seeds: https://a.example/\npoliteness: {contact: a@b.example, hosts: {a: &x {delay: 1s}, b: *x}}\n", "politeness.hosts.b.delay=9s")
	if a, b := *c.Politeness.Hosts[0].Delay, *c.Politeness.Hosts[1].Delay; a != time.Second || b != 9*time.Second {
		t.Error(a, b)
	}
}

func TestSeedsGiveTheScope(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list.txt")
	if err := os.WriteFile(list, []byte("\ufeffhttps://f1.example/a\r\n\n# no\nhttp://F2.example:8080/b\nhttps://f1.example:443/c"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, found := Parse(filepath.Join(dir, "c.yaml"), []byte("seeds: [https://s.example/, {sitemap: http://m.example/s.xml}, {file: list.txt}]\n"+contact), Options{})
	if found.Failed() {
		t.Fatal(found)
	}
	if got := fmt.Sprint(c.ScopeRules().Hosts); got != "[f1.example f2.example:8080 m.example s.example]" {
		t.Error(got)
	}
	var got []string
	for s, err := range c.EachSeed() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Kind.String()+" "+s.URL.String())
	}
	want := "[page https://s.example/ sitemap http://m.example/s.xml page https://f1.example/a page http://f2.example:8080/b page https://f1.example/c]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v\nwant %s", got, want)
	}
	if err := os.WriteFile(list, []byte("https://f1.example/\nnonsense\nhttps://f1.example/2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var seen int
	var last error
	for _, err := range c.EachSeed() {
		seen, last = seen+1, err
	}
	if want := list + ":2: not a URL"; last == nil || last.Error() != want || seen != 4 {
		t.Errorf("%d seeds, %v", seen, last)
	}
	for range c.EachSeed() {
		break // must not go on
	}
}

func TestTraps(t *testing.T) {
	base := "seeds: https://a.example/\n" + contact
	for _, off := range []string{"scope: {traps: off}\n", "scope: {traps: {mode: off, near_duplicates: cut}}\n"} {
		c := mustParse(t, base+off)
		if got := c.TrapRules(); !reflect.DeepEqual(got, crawler.TrapRules{}) || c.Canon().DropSessions {
			t.Errorf("%s gives %+v and %+v", off, got, c.Canon())
		}
	}
	c := mustParse(t, base+"scope: {traps: {repeats: 0, stale: 20, near_duplicates: cut, sessions: keep}}\n")
	want := crawler.TrapRules{Facets: 5000, Stale: 20, Pattern: 200_000, NearDuplicates: true}
	if got := c.TrapRules(); !reflect.DeepEqual(got, want) || c.Canon().DropSessions {
		t.Errorf("%+v and %+v", got, c.Canon())
	}
}

func TestParts(t *testing.T) {
	c := mustParse(t, "seeds: https://a.example/\nname: n\ngrace: 3s\nscope: {max_pages: 9, max_depth: 4, drop_params: utm_*}\nfetch: {retries: 0, workers: 5, resolve: {A: '1.2.3.4:5', 'Bücher.example:81': '1.2.3.4:6'}}\n"+contact+
		"extract: {g: {match: '/x/*', fields: {a: {css: a}}}, r: {match: {regex: 'q=\\d'}, fields: {a: {css: a}}}, e: {fields: {a: {css: a}}}}\noutput: {csv: o.csv}\n")
	want := crawler.Settings{Name: "n", Workers: 5, MaxPages: 9, Retries: -1, Grace: 3 * time.Second, BatchPages: 256, BatchBytes: 8 << 20, BatchInterval: 500 * time.Millisecond,
		Traps: crawler.TrapRules{Repeats: 3, Facets: 5000, Stale: 200, Pattern: 200_000, News: []string{"g", "r"}}}
	if got := c.Settings(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if c.ResolveMap()["a"] != "1.2.3.4:5" || c.ResolveMap()["xn--bcher-kva.example:81"] != "1.2.3.4:6" || c.Canon().DropParams[0] != "utm_*" || c.ScopeRules().MaxDepth != 4 || c.Sinks()[0].Name != "csv:o.csv" {
		t.Errorf("%+v", c)
	}
	u, err := urls.Parse("https://a.example/x/1?q=2")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range c.Extract {
		match, err := r.Matches()
		if err != nil || (match == nil) != (i == 2) || match != nil && !match(u) {
			t.Errorf("%s: %v", r.Type, err)
		}
		if other, _ := urls.Parse("https://a.example/y"); match != nil && match(other) {
			t.Errorf("%s matches %s", r.Type, other)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{
		"0B": 0, "1 b": 1, "10MiB": 10 << 20, "1.5KiB": 1536, "2kB": 2000, "1 GB": 1e9, "0.5b": 0, "8TiB": 8 << 40,
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "1", "MiB", "-1B", "1e9B", "1/2B", "9999999TiB", "1XB", "1_0B", "0x1B", "1 MiB x"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q gives %d", text, s)
		}
	}
	for s, want := range map[Size]string{10 << 20: "10MiB", 1536: "1536B", 2048: "2KiB", 0: "0B"} {
		if s.String() != want {
			t.Errorf("%d: %s", s, s)
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	for path, want := range map[string]string{
		"testdata/none.yaml": "testdata/none.yaml:1:1: cannot read the config: no such file or directory (give the path of a config file, such as crawl.yaml)",
		"testdata":           "testdata:1:1: cannot read the config: is a directory",
	} {
		if c, found := Load(path, Options{}); c != nil || len(found) != 1 || found[0].String() != want {
			t.Errorf("%v", found)
		}
	}
	big := append([]byte("seeds: https://a.example/\n#"), make([]byte, MaxSize)...)
	if _, found := Parse("big.yaml", big, Options{}); len(found) != 1 || found[0].Message != "the file is larger than 1024 KiB" {
		t.Error(found)
	}
}

func TestManyMistakesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("seeds: https://a.example/\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	got := mistakes(b.String())
	if len(got) != maxDiagnostics+1 || !strings.Contains(got[len(got)-1], "more mistakes") {
		t.Errorf("%d findings, the last %s", len(got), got[len(got)-1])
	}
}

// Nesting is refused before the parser, which would take quadratic time.
func TestHostileNesting(t *testing.T) {
	const n = 50_000
	var stairs strings.Builder
	for i := range 1000 {
		stairs.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[", n), "braces": strings.Repeat("{a: ", n), "dashes": strings.Repeat("- ", n),
		"colons": strings.Repeat("a: ", n), "blank lines": "a: |" + strings.Repeat("\n ", n), "anchors": strings.Repeat("&a ", n),
		"tags": strings.Repeat("!a ", n), "keys": strings.Repeat("? ", n), "stairs": stairs.String(),
	} {
		got := mistakes(text)
		if len(got) != 1 || strings.Contains(got[0], "not valid YAML") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"seeds", "max_depth", "delay", "agent", "css", "as"}
	for word, want := range map[string]string{
		"sedes": "seeds", "maxDepth": "max_depth", "MAX-DEPTH": "max_depth", "dealy": "delay", "user_agent": "agent",
		"ccs": "css", "zzz": "", "a": "as", "": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

// Outputs without files keep their own positions in a state.
func TestOutputsAreToldApart(t *testing.T) {
	o := Outputs{{Name: "db"}, {Name: "jsonl:a"}, {Name: "db"}, {Name: "db"}}
	o.distinguish()
	var names []string
	for _, output := range o {
		names = append(names, output.Name)
	}
	if got := strings.Join(names, " "); got != "db jsonl:a db:2 db:3" {
		t.Error(got)
	}
}

func TestHowLongTheLedgerIsKept(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		text       string
		run, serve time.Duration
	}{{"", 0, 400 * day}, {"history: {days: 30}\n", 0, 30 * day}, {"history: {days: 30, ledger_days: 90}\n", 90 * day, 90 * day}} {
		h := mustParse(t, "seeds: https://a.example/\n"+contact+c.text).History
		if h.LedgerFor(false) != c.run || h.LedgerFor(true) != c.serve {
			t.Errorf("%q: %v and %v", c.text, h.LedgerFor(false), h.LedgerFor(true))
		}
	}
}

// A variable that nobody has set is missed where it stands, once, unless an override has
// taken the place of what names it.
func TestOverrideOfAMissingVariable(t *testing.T) {
	base := "seeds: &s [\"https://${NOPE}/\"]\nscope: {hosts: *s, include: \"/${NOPE}/**\"}\n" + contact
	for set, want := range map[string]int{"": 2, "seeds=https://a.example/": 2, "scope=null": 1, "scope.include=/x": 1} {
		var sets []string
		if set != "" {
			sets = []string{set}
		}
		if got := mistakes(base, sets...); len(got) != want || !strings.Contains(got[0], "the environment variable NOPE is not set") {
			t.Errorf("%q: %q", set, got)
		}
	}
	c := mustParse(t, base, "seeds=https://a.example/", "scope={hosts: a.example}")
	if c.Seeds[0].URL != "https://a.example/" {
		t.Errorf("%+v", c.Seeds)
	}
}
