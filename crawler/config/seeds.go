package config

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

const (
	// maxSeedHosts bounds the hosts that a scope takes from its seeds.
	maxSeedHosts = 100_000
	// maxLineMistakes bounds what is reported of one file of seeds.
	maxLineMistakes = 20
)

// EachSeed yields the seeds, the lines of files among them as they are read.
// It ends at the first error, which names the file and line.
func (c *Config) EachSeed() iter.Seq2[crawler.Seed, error] { return c.SeedsBehind(nil) }

// SeedsBehind yields the seeds without the rows that the run has taken.
func (c *Config) SeedsBehind(taken Taken) iter.Seq2[crawler.Seed, error] {
	return func(yield func(crawler.Seed, error) bool) {
		for _, s := range c.Seeds {
			if s.Query != "" {
				if !c.eachCall(&s, yield) {
					return
				}
				continue
			}
			if s.Rows.queried() {
				if !c.rowCall(&s, yield) {
					return
				}
				continue
			}
			if !s.Rows.empty() {
				if !c.eachRow(s, taken, yield) {
					return
				}
				continue
			}
			if s.Bucket != "" {
				u, err := s.listing().URL()
				if !yield(crawler.Seed{URL: u}, err) || err != nil {
					return
				}
				continue
			}
			if s.File == "" {
				raw, kind := s.URL, s.kind()
				if s.Sitemap != "" {
					raw, kind = s.Sitemap, crawler.KindSitemap
				}
				u, err := urls.Parse(raw)
				if !yield(crawler.Seed{URL: u, Kind: kind}, err) || err != nil {
					return
				}
				continue
			}
			more := true
			err := seedLines(s.File, func(number int, line string, err error) bool {
				var u urls.URL
				if err == nil {
					u, err = parseSeed(line)
				}
				if err != nil {
					err = fmt.Errorf("%s:%d: %w", s.File, number, err)
				}
				more = yield(crawler.Seed{URL: u, Kind: s.kind()}, err) && err == nil
				return more
			})
			if err != nil && more {
				yield(crawler.Seed{}, fmt.Errorf("%s: %w", s.File, err))
			}
			if err != nil || !more {
				return
			}
		}
	}
}

// seedLines calls each with every line of a file that is not empty and no
// comment, until it returns false. A line that cannot be a URL comes with an
// error.
func seedLines(path string, each func(number int, line string, err error) bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return errors.New(cause(err))
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file") // a pipe could block for ever
	}
	f, err := os.Open(path)
	if err != nil {
		return errors.New(cause(err))
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, urls.MaxLen+4)
	for number := 1; ; number++ {
		raw, err := r.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull)
		line := string(raw)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return errors.New(cause(err))
		}
		if number == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		line = strings.TrimRight(line, "\r\n")
		var bad error
		switch {
		case tooLong:
			line, bad = strings.ToValidUTF8(line[:200], ""), urls.ErrTooLong
		case !utf8.ValidString(line):
			line, bad = strings.ToValidUTF8(line, "\uFFFD"), errors.New("the line is not UTF-8 text")
		}
		if text := strings.TrimSpace(line); text != "" && text[0] != '#' && !each(number, line, bad) {
			return nil
		}
		if err == io.EOF {
			return nil
		}
	}
}

// parseSeed reads an http(s) URL; the error is for people.
func parseSeed(raw string) (urls.URL, error) {
	u, err := urls.Parse(strings.TrimSpace(raw))
	switch {
	case errors.Is(err, urls.ErrTooLong):
		return u, err
	case err != nil:
		return u, errors.New("not a URL")
	case !u.IsHTTP():
		return u, errors.New("not an http or https URL")
	}
	return u, nil
}

// meantURL guesses the URL behind a text that is none, or "".
func meantURL(raw string) string {
	raw = strings.TrimSpace(raw)
	rest := strings.TrimLeft(raw, "/")
	if scheme, after, ok := strings.Cut(raw, "://"); ok {
		if nearest(scheme, []string{"http", "https"}) == "" {
			return ""
		}
		rest = after
	}
	host, _, _ := strings.Cut(rest, "/")
	if !strings.Contains(host, ".") && host != "localhost" && !strings.HasPrefix(host, "localhost:") || strings.ContainsAny(host, "@ {}*") {
		return ""
	}
	if u, err := parseSeed("https://" + rest); err == nil {
		return u.String()
	}
	return ""
}

// seedCheck walks the seeds once, for mistakes and for the hosts of the scope.
type seedCheck struct {
	*loader
	hostsOnly *urls.Scope // nil when the hosts come from the seeds
	exclude   *urls.Scope
	hosts     map[string]bool
}

func (l *loader) checkSeeds(c *Config) {
	k := &seedCheck{loader: l, hosts: map[string]bool{}}
	rules := c.Scope.rules()
	rules.Include, rules.MaxDepth = nil, 0
	if len(rules.Hosts) > 0 {
		k.hostsOnly, _ = urls.NewScope(urls.ScopeRules{Hosts: rules.Hosts})
	}
	k.exclude, _ = urls.NewScope(rules)
	if n := l.at("seeds"); l.given("seeds") && (n.kind == nullKind || n.kind == listKind && len(n.items) == 0) {
		l.errorf(n.place, "add a URL", "seeds: a crawl needs one at least")
	}
	for i, s := range c.Seeds {
		if n := l.item(i, "seeds"); s.Query != "" || n.kind == mappingKind {
			k.checkQuerySeed(c, &c.Seeds[i], n)
		}
		k.checkBucketSeed(c, &c.Seeds[i], l.item(i, "seeds"))
		k.seed(s, l.item(i, "seeds"))
		if !s.Rows.empty() {
			k.rows(c, i, l.item(i, "seeds"))
		}
	}
	if len(c.Scope.Hosts) > 0 {
		return
	}
	if len(k.hosts) > maxSeedHosts {
		l.errorf(l.at("seeds").place, `set scope.hosts, to "*" for all`, "the seeds are on more than %d hosts", maxSeedHosts)
	}
	c.Scope.Hosts = slices.Sorted(maps.Keys(k.hosts))
}

func (k *seedCheck) seed(s Seed, n *node) {
	kinds := 0
	for _, v := range []string{s.URL, s.Sitemap, s.File, s.Query, s.Bucket} {
		if v != "" {
			kinds++
		}
	}
	if isRows := !s.Rows.empty(); isRows && s.URL == "" { // else it is their template
		kinds++
	}
	switch {
	case n.broken || n.kind == listKind:
	case kinds > 1:
		k.errorf(n.place, "give each a dash of its own", "a seed is a URL, a sitemap, a file, rows, a query or a bucket, not several of them")
	case kinds == 0 && (n.kind == textKind || n.kind == mappingKind && len(n.entries) == 0):
		k.errorf(n.place, "", "the seed is empty")
	case !s.Rows.empty():
	case k.rowKeys(n):
	case s.URL != "":
		k.url(s.URL, n.below([]string{"url"}), crawler.KindPage)
	case s.Sitemap != "":
		k.url(s.Sitemap, n.below([]string{"sitemap"}), crawler.KindSitemap)
	case s.File != "":
		k.file(s.File, n.below([]string{"file"}))
	}
}

func (k *seedCheck) url(raw string, n *node, kind crawler.Kind) {
	u, err := parseSeed(raw)
	if err != nil {
		hint := ""
		if meant := meantURL(raw); meant != "" && !n.secret() {
			hint = "did you mean " + meant + "?"
		}
		if info, err := os.Stat(k.resolvePath(raw)); err == nil && info.Mode().IsRegular() && !n.secret() {
			hint = "for a file of URLs write file: " + raw
		}
		k.errorf(n.place, hint, "seeds: %v; found %s", err, n)
		return
	}
	if rule := k.outside(u, kind); rule != "" {
		k.errorf(n.place, "widen the scope, or remove the seed", "the seed is outside of the scope: %s", k.secrets.hide(rule))
	}
}

// outside names the rule that keeps a seed out of the scope, or "". Seeds need
// not be included, only not excluded; sitemaps are no pages and need only be
// on the crawl's hosts.
func (k *seedCheck) outside(u urls.URL, kind crawler.Kind) string {
	if len(k.hosts) <= maxSeedHosts {
		k.hosts[hostPattern(u)] = true
	}
	scope := k.exclude
	if kind == crawler.KindSitemap {
		scope = k.hostsOnly
	}
	if scope == nil {
		return ""
	}
	verdict := scope.Check(u, 0)
	if verdict.In {
		return ""
	}
	return verdict.Rule
}

// hostPattern is the scope's pattern for the host of a URL. The port counts
// only where it is not the scheme's own, so that http leads on to https.
func hostPattern(u urls.URL) string {
	if port := u.Port(); port != "" {
		return u.Hostname() + ":" + port
	}
	return u.Hostname()
}

func (k *seedCheck) file(path string, n *node) {
	mistakes, lines := 0, 0
	err := seedLines(path, func(number int, line string, err error) bool {
		lines++
		src := &source{name: path, first: number - 1, lines: []string{line}}
		at := place{src, number, 1 + utf8.RuneCountInString(line) - utf8.RuneCountInString(strings.TrimLeft(line, " \t"))}
		hint, rule := "", ""
		if err == nil {
			var u urls.URL
			if u, err = parseSeed(line); err == nil {
				rule = k.outside(u, crawler.KindPage)
			} else if meant := meantURL(line); meant != "" {
				hint = "did you mean " + meant + "?"
			}
		}
		switch {
		case err == nil && rule == "":
			return true
		case mistakes == maxLineMistakes:
			k.errorf(at, "", "there are more mistakes than are shown")
			return false
		case err != nil:
			k.errorf(at, hint, "%v", err)
		default:
			k.errorf(at, "widen the scope, or remove the line", "the seed is outside of the scope: %s", k.secrets.hide(rule))
		}
		mistakes++
		return true
	})
	switch {
	case err != nil:
		k.errorf(n.place, "", "seeds: cannot read the file: %v; found %s", err, n)
	case lines == 0:
		k.errorf(n.place, "", "seeds: the file holds no URL; found %s", n)
	}
}
