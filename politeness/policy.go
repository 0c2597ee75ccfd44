package politeness

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

// Defaults for what a Policy or Options leave zero.
const (
	// DefaultMaxCrawlDelay keeps a site from stopping a crawl by asking for
	// hours between requests, and is longer than what sites ask in earnest.
	DefaultMaxCrawlDelay = time.Minute
	// DefaultMaxRetryAfter is the longest a server can put a host off at once.
	DefaultMaxRetryAfter = 24 * time.Hour
	// DefaultRobotsTries and DefaultRobotsWait have an unreachable robots.txt
	// asked for at 0, 2, 10 and 42 seconds before its host is given up.
	DefaultRobotsTries = 4
	DefaultRobotsWait  = 2 * time.Second
	// DefaultMaxHosts and DefaultMaxRules bound the hosts in memory and the
	// octets that their robots.txt rules take.
	DefaultMaxHosts = 50_000
	DefaultMaxRules = 256 << 20
)

// Policy is what the operator of a crawl wants.
type Policy struct {
	// Agent is the product token that robots.txt groups are matched against.
	Agent string
	// Delay is the least time between the end of a response and the next
	// request to its host; negative means zero.
	Delay time.Duration
	// Concurrency is the most requests in flight per host, at least 1.
	Concurrency int
	// IgnoreRobots has robots.txt neither fetched nor obeyed.
	IgnoreRobots bool
	// Mode is the reading of robots.txt.
	Mode robots.Mode
	// Hosts makes exceptions by host name, or by "*.suffix" for every name
	// below it. The name itself comes first, then the longest suffix.
	Hosts map[string]HostPolicy
	// MaxCrawlDelay caps a Crawl-delay; 0 is DefaultMaxCrawlDelay.
	MaxCrawlDelay time.Duration
	// MaxRetryAfter caps a Retry-After; 0 is DefaultMaxRetryAfter.
	MaxRetryAfter time.Duration
	// RobotsTries is how many failures in a row give a robots.txt up for an
	// hour; 0 is DefaultRobotsTries.
	RobotsTries int
	// RobotsWait is the wait after the first failure, four times as long after
	// each further one; 0 is DefaultRobotsWait.
	RobotsWait time.Duration
}

// HostPolicy is an exception for some hosts.
type HostPolicy struct {
	Delay       *time.Duration // nil: as the others
	Concurrency int            // 0: as the others
}

// Options are what a Gate gets from its surroundings.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Rand gives numbers in [0, 1) for jitter; nil is a random source.
	Rand func() float64
	// MaxHosts bounds the hosts in memory; 0 is DefaultMaxHosts, the least is 2.
	MaxHosts int
	// MaxRules bounds the octets of robots.txt rules in memory, as far as hosts
	// can be forgotten; 0 is DefaultMaxRules.
	MaxRules int
	// Resumed says that another process may have sent requests a moment ago:
	// each host owes one delay from the start of the gate.
	Resumed bool
}

func (p *Policy) fill() {
	p.Delay = max(p.Delay, 0)
	p.Concurrency = max(p.Concurrency, 1)
	p.MaxCrawlDelay = orDefault(p.MaxCrawlDelay, DefaultMaxCrawlDelay)
	p.MaxRetryAfter = orDefault(p.MaxRetryAfter, DefaultMaxRetryAfter)
	p.RobotsTries = orDefault(p.RobotsTries, DefaultRobotsTries)
	p.RobotsWait = orDefault(p.RobotsWait, DefaultRobotsWait)
}

func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	o.MaxHosts = max(orDefault(o.MaxHosts, DefaultMaxHosts), 2)
	o.MaxRules = orDefault(o.MaxRules, DefaultMaxRules)
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}

// of returns delay and concurrency for a host name.
func (p *Policy) of(name string) (time.Duration, int) {
	delay, concurrency := p.Delay, p.Concurrency
	exception, ok := p.Hosts[name]
	for rest := name; !ok; {
		_, parent, found := strings.Cut(rest, ".")
		if !found {
			break
		}
		exception, ok = p.Hosts["*."+parent]
		rest = parent
	}
	if exception.Delay != nil {
		delay = max(*exception.Delay, 0)
	}
	if exception.Concurrency > 0 {
		concurrency = exception.Concurrency
	}
	return delay, concurrency
}

// splitOrigin returns scheme and host name of "scheme://host[:port]".
func splitOrigin(origin string) (scheme, name string) {
	scheme, name, _ = strings.Cut(origin, "://")
	if strings.HasPrefix(name, "[") {
		name, _, _ = strings.Cut(name[1:], "]")
		return scheme, name
	}
	name, _, _ = strings.Cut(name, ":")
	return scheme, name
}

// within reports whether url lies below origin.
func within(origin, url string) bool {
	if origin == "" || !strings.HasPrefix(url, origin) {
		return false
	}
	return len(url) == len(origin) || strings.IndexByte("/?#", url[len(origin)]) >= 0
}
