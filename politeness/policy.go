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
	// DefaultMaxDelay is the most that the adaptive throttle makes of a delay.
	DefaultMaxDelay = time.Minute
	// DefaultAdaptiveFactor has a host that is asked one thing at a time rest for
	// twice as long as it worked.
	DefaultAdaptiveFactor = 2
	// DefaultCircuitAfter and DefaultCircuitGiveUp are when a host that keeps
	// failing is set aside, and when it is given up.
	DefaultCircuitAfter  = 8
	DefaultCircuitGiveUp = 6 * time.Hour
	// DefaultMaxHosts and DefaultMaxRules bound the hosts in memory and the
	// octets that their robots.txt rules take.
	DefaultMaxHosts = 50_000
	DefaultMaxRules = 128 << 20
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
	// Digest, when it is not nil, is called with each robots.txt that is read, an
	// empty one where there is none, and what it returns is kept with the rules:
	// for statements in the file that are not about access. It must not keep body.
	Digest func(body []byte) any
	// File is a file that each host is asked for beside robots.txt; nil: none.
	File *SiteFile
	// Hosts makes exceptions by origin ("sql://warehouse"), by host name, by
	// "name:port", or by "*.suffix" for every name below it. The origin comes
	// first, then the name with its port, then the name itself, then the longest
	// suffix.
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
	// RobotsUnreachable says what becomes of a host whose robots.txt could not be
	// had at any try for 30 days.
	RobotsUnreachable Unreachable
	// Adaptive has the delay follow the host's load, between Delay and MaxDelay:
	// AdaptiveFactor times the time to the first octet of an answer, and more
	// after 429 and 503. MaxDelay never lowers a configured delay.
	Adaptive       bool
	AdaptiveFactor float64       // 0 is DefaultAdaptiveFactor
	MaxDelay       time.Duration // 0 is DefaultMaxDelay
	// Hours is the part of the day in which requests may start, robots.txt
	// included. One that was granted within it and has not begun lapses as it ends.
	Hours Hours
	// Group says which hosts share one budget of delay and concurrency.
	Group Group
	// CircuitAfter is how many failures in a row set a host aside: connections
	// that fail, timeouts, 502 to 504 (a plain 500 is one page broken). It is then probed by one request after 30
	// seconds, and after pauses that grow to 30 minutes, while its URLs wait. 0
	// is DefaultCircuitAfter, less is never.
	CircuitAfter int
	// CircuitGiveUp is how long a host fails until its URLs are skipped, except
	// for the probes; 0 is DefaultCircuitGiveUp.
	CircuitGiveUp time.Duration
}

// HostPolicy is an exception for some hosts.
type HostPolicy struct {
	Delay       *time.Duration // nil: as the others
	Concurrency int            // 0: as the others
	Hours       *Hours         // nil: as the others
	// API says that the host is an interface for programs, which its operator lets
	// the crawl use: robots.txt, which is for those who find their way by links, is
	// neither fetched nor obeyed. All else that the host asks for is owed.
	API bool
	// CircuitMost is the longest pause while it keeps failing, 0 as the others, for
	// what is the operator's own or made for programs. CircuitGiveUp replaces
	// Policy.CircuitGiveUp, unless it is 0.
	CircuitMost, CircuitGiveUp time.Duration
}

// Unreachable is a reading of RFC 9309 section 2.3.1.4 for a robots.txt that is
// unreachable for 30 days.
type Unreachable uint8

const (
	// DenyUnreachable disallows for as long as it lasts, which is the careful
	// reading and the default.
	DenyUnreachable Unreachable = iota
	// AllowAfterMonth takes it to be unavailable, as the RFC permits: all is
	// allowed, and robots.txt is tried again each day.
	AllowAfterMonth
)

// Options are what a Gate gets from its surroundings.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Rand gives numbers in [0, 1) for jitter; nil is a random source.
	Rand func() float64
	// MaxHosts bounds the hosts in memory; 0 is DefaultMaxHosts, the least is 2.
	MaxHosts int
	// MaxRules bounds the octets of robots.txt rules in memory: those of the hosts
	// asked about longest ago are dropped, and read again from Recall when they
	// are needed. Without Recall such hosts are forgotten, as far as they owe
	// nothing. 0 is DefaultMaxRules.
	MaxRules int
	// Recall returns the last HostState.Robots that was kept for an origin, nil
	// without one. It is called each time that a host is opened or that its rules
	// had been dropped, by the Decide or Restore that needs them and without a
	// lock; others who ask for the host are told to wait meanwhile. It may be
	// called for several hosts at once.
	// nil: robots.txt is fetched anew.
	Recall func(origin string) []byte
	// RecallFile does the same for HostState.File.
	RecallFile func(origin string) []byte
	// Debts returns the last HostState.Opaque that was kept for an origin, or the
	// last GroupOpaque for a Group, nil without one; it is called as Recall is.
	Debts func(key string) []byte
	// Address tells, for GroupAddress, the address that requests to an origin go
	// to, or false where it is not known: such a host stands for itself. It is
	// called as Recall is, and again every ten minutes, since names move; it may
	// look the name up, within a deadline of its own.
	// Of several addresses it should choose the same one each time, such as the
	// lowest.
	Address func(origin string) (string, bool)
	// Resumed says that another process may have sent requests a moment ago:
	// each host owes one delay from the start of the gate.
	Resumed bool
	// Common is the time of hosts that this gate shares with others, nil for none.
	Common *Common
}

func (p *Policy) fill() {
	p.Delay = max(p.Delay, 0)
	p.Concurrency = max(p.Concurrency, 1)
	p.MaxCrawlDelay = orDefault(p.MaxCrawlDelay, DefaultMaxCrawlDelay)
	p.MaxRetryAfter = orDefault(p.MaxRetryAfter, DefaultMaxRetryAfter)
	p.RobotsTries = orDefault(p.RobotsTries, DefaultRobotsTries)
	p.RobotsWait = orDefault(p.RobotsWait, DefaultRobotsWait)
	p.MaxDelay = orDefault(p.MaxDelay, DefaultMaxDelay)
	if !(p.AdaptiveFactor > 0) { // nor NaN
		p.AdaptiveFactor = DefaultAdaptiveFactor
	}
	if p.CircuitAfter == 0 {
		p.CircuitAfter = DefaultCircuitAfter
	}
	p.CircuitGiveUp = orDefault(p.CircuitGiveUp, DefaultCircuitGiveUp)
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

// pace bounds the throttle of a lane with that configured delay.
func (p *Policy) pace(delay time.Duration) pace {
	return pace{adaptive: p.Adaptive, factor: p.AdaptiveFactor, floor: delay, ceiling: p.MaxDelay}
}

// exception is what holds for an origin in particular.
func (p *Policy) exception(origin string) HostPolicy {
	_, name := splitOrigin(origin)
	_, withPort, _ := strings.Cut(origin, "://")
	exception, ok := p.Hosts[origin]
	if !ok {
		exception, ok = p.Hosts[withPort]
	}
	if !ok {
		exception, ok = p.Hosts[name]
	}
	for rest := name; !ok; {
		_, parent, found := strings.Cut(rest, ".")
		if !found {
			break
		}
		exception, ok = p.Hosts["*."+parent]
		rest = parent
	}
	return exception
}

// of returns what holds for an origin.
func (p *Policy) of(origin string) (delay time.Duration, concurrency int, hours *Hours) {
	delay, concurrency, hours = p.Delay, p.Concurrency, &p.Hours
	exception := p.exception(origin)
	if exception.Delay != nil {
		delay = max(*exception.Delay, 0)
	}
	if exception.Concurrency > 0 {
		concurrency = exception.Concurrency
	}
	if exception.Hours != nil {
		hours = exception.Hours
	}
	return delay, concurrency, hours
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
