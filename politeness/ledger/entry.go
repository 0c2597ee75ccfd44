package ledger

import (
	"strings"
	"time"
)

// Precision is that of the instants and durations in a ledger. What is finer
// is cut off.
const Precision = time.Microsecond

// Kind says what a request was for.
type Kind uint8

// The kinds of requests.
const (
	Page Kind = iota
	Robots
	Sitemap
	Other
)

// String names the kind.
func (k Kind) String() string {
	return [...]string{"page", "robots.txt", "sitemap", "other"}[k&3]
}

// Entry is one request, sent or withheld.
type Entry struct {
	// Start is when the first octet of the request was sent, or when it was
	// withheld. End is the end of the response, of one that failed too; zero for
	// what was withheld.
	Start, End time.Time
	// Decided is the instant of the verdict that the request rests on; zero is
	// Start. Robots.txt may change between the two.
	Decided time.Time
	// Host is the origin: scheme://host[:port], lower case, no default port.
	Host string
	// Group is the unit of politeness when hosts share one, else "". Its hosts
	// share the delay and concurrency of the policy and what a 429 asks for; what
	// else robots.txt or an answer of one host asks holds for that host.
	Group string
	// URL is absolute. Credentials in it are not kept.
	URL  string
	Kind Kind
	// Method is that of the request, empty for GET. Call tells requests of one URL
	// apart by their method and body, by a digest that is the crawler's own; 0 is a
	// GET without a body.
	Method string
	Call   uint64
	// Withheld says that nothing was sent, and Reason why.
	Withheld bool
	Reason   string
	// RobotsHash is the version of robots.txt (robots.File.Hash) that the
	// decision rests on, zero without one; Line is the line that decided, 0 when
	// none applied.
	RobotsHash [16]byte
	Line       int
	// Owed is the least time owed between the last start or end of the host
	// before this request and its Start, or of its group where that left less to
	// spare; By names who asked for it. Retry-After and other debts of one time
	// are not part of it.
	Owed time.Duration
	By   string
	// Paid is that time as the crawler measured it, 0 or less for the first
	// request of a host.
	Paid time.Duration
	// Status is that of the answer, 0 without one; Class names the outcome.
	Status int
	Class  string
	// Bytes of the response body as received.
	Bytes   int64
	Attempt int
	// RetryAfter is how long, from End on, the answer asked for the host to be
	// left alone, before any cap; 0 when it did not.
	RetryAfter time.Duration
	// Answered is when the answer's header was there, from which on what it asks
	// for is owed; zero is End.
	Answered time.Time
	// Booked is when the crawler drew its conclusions from the exchange, so that
	// the next decision knew of it; zero is End.
	Booked time.Time
	// Failed says that the host did not answer, or not to the end, in a way that
	// may pass: a connection that broke, a timeout.
	Failed bool
	// Concurrency is how many requests were allowed in flight at that moment.
	Concurrency int
}

// grouped reports whether the host shares its budget.
func (e *Entry) grouped() bool { return e.Group != "" && e.Group != e.Host }

// RobotsVersion tells that an origin's robots.txt was read.
type RobotsVersion struct {
	Origin    string
	FetchedAt time.Time // from when on it is in force
	// Status of the answer; a 4xx stands for an empty file.
	Status int
	// Body is what was read, of which robots.MaxSize octets count.
	Body []byte
	// Hash is computed from Body, and read only where Body is nil: a version
	// known from before was found unchanged.
	Hash [16]byte
}

// RunInfo is what one process says of itself when it opens a ledger.
type RunInfo struct {
	Run   string `json:"run"`
	Crawl string `json:"crawl"`
	// Agent is the product token matched against robots.txt, Contact where its
	// operator can be reached.
	Agent   string `json:"agent"`
	Contact string `json:"contact,omitempty"`
	// Started is when this process began, from which its times are counted; it
	// must come from the clock that the entries' times come from.
	Started time.Time `json:"started"`
	Policy  Policy    `json:"policy"`
	// Anew says that the process relies on no robots.txt that was read before it: the
	// account can begin with it. It begins a file of its own, before which Prune may
	// cut.
	Anew bool `json:"anew,omitempty"`
}

// Policy is what the operator promised. Durations are nanoseconds in the file.
type Policy struct {
	Delay       time.Duration         `json:"delay_ns"`
	Concurrency int                   `json:"concurrency"` // less than 1 is 1
	Hosts       map[string]HostPolicy `json:"hosts,omitempty"`
	// IgnoreRobots says that robots.txt was neither fetched nor obeyed.
	IgnoreRobots bool `json:"ignore_robots,omitempty"`
	// Mode is the reading of robots.txt: "rfc", also when empty, or "google".
	Mode string `json:"mode,omitempty"`
	// MaxCrawlDelay and MaxRetryAfter cap what a site can ask for; 0 is no cap.
	MaxCrawlDelay time.Duration `json:"max_crawl_delay_ns,omitempty"`
	MaxRetryAfter time.Duration `json:"max_retry_after_ns,omitempty"`
	// RobotsLifetime is how long a copy of robots.txt may serve; 0 is 24 hours
	// (RFC 9309 section 2.4).
	RobotsLifetime time.Duration `json:"robots_lifetime_ns,omitempty"`
	// Backoff is what the first 429 or 503 without Retry-After puts a host off
	// for, at the least. Each one doubles it up to BackoffMost, each good answer
	// takes a doubling back. 0 promises nothing.
	Backoff     time.Duration `json:"backoff_ns,omitempty"`
	BackoffMost time.Duration `json:"backoff_most_ns,omitempty"`
	// CircuitAfter is how many failures in a row (Entry.Failed, 502 and above) set
	// a host aside for CircuitPause, twice as long each time up to CircuitMost,
	// and have it asked one thing at a time, until an answer is good. 0 promises
	// nothing.
	CircuitAfter int           `json:"circuit_after,omitempty"`
	CircuitPause time.Duration `json:"circuit_pause_ns,omitempty"`
	CircuitMost  time.Duration `json:"circuit_most_ns,omitempty"`
	// Hours is the part of the day in which requests are sent, such as
	// "22:00-06:00", by the wall clock of the IANA time zone Zone ("" is UTC).
	// Empty is the whole day.
	Hours string `json:"hours,omitempty"`
	Zone  string `json:"zone,omitempty"`
}

// HostPolicy is an exception for a host name, for "name:port" or, by "*.suffix",
// for every name below it. The name with its port comes first, then the name
// itself, then the longest suffix.
type HostPolicy struct {
	Delay       *time.Duration `json:"delay_ns,omitempty"`    // nil: as the others
	Concurrency int            `json:"concurrency,omitempty"` // 0: as the others
	Hours       string         `json:"hours,omitempty"`       // empty: as the others
	Zone        string         `json:"zone,omitempty"`        // of Hours
	// API says that the host was declared an interface for programs, to which
	// robots.txt was not applied.
	API bool `json:"api,omitempty"`
	// CircuitMost replaces Policy.CircuitMost, unless it is 0.
	CircuitMost time.Duration `json:"circuit_most_ns,omitempty"`
}

const defaultLifetime = 24 * time.Hour

func (p *Policy) lifetime() time.Duration {
	if p.RobotsLifetime > 0 {
		return p.RobotsLifetime
	}
	return defaultLifetime
}

// of returns delay and concurrency promised to an origin.
func (p *Policy) of(origin string) (time.Duration, int) {
	exception := p.exception(origin)
	delay, concurrency := p.Delay, p.Concurrency
	if exception.Delay != nil {
		delay = *exception.Delay
	}
	if exception.Concurrency > 0 {
		concurrency = exception.Concurrency
	}
	return max(delay, 0), max(concurrency, 1)
}

// robots reports whether robots.txt was to be obeyed at an origin.
func (p *Policy) robots(origin string) bool { return !p.IgnoreRobots && !p.exception(origin).API }

// exception is what was promised to an origin in particular.
func (p *Policy) exception(origin string) HostPolicy {
	name := hostname(origin)
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

// capped is d, but at most limit where there is one.
func capped(d, limit time.Duration) time.Duration {
	if limit > 0 {
		return min(d, limit)
	}
	return d
}

func hostname(origin string) string {
	_, name, _ := strings.Cut(origin, "://")
	if strings.HasPrefix(name, "[") {
		name, _, _ = strings.Cut(name[1:], "]")
		return name
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// web reports whether an origin has a robots.txt.
func web(origin string) bool {
	return strings.HasPrefix(origin, "http://") || strings.HasPrefix(origin, "https://")
}

// within reports whether a URL lies below an origin.
func within(origin, url string) bool {
	if origin == "" || !strings.HasPrefix(url, origin) {
		return false
	}
	return len(url) == len(origin) || strings.IndexByte("/?#", url[len(origin)]) >= 0
}

// withoutCredentials cuts "user:password@" out of an absolute URL.
func withoutCredentials(url string) string {
	at := strings.Index(url, "://")
	if at < 0 {
		return url
	}
	at += len("://")
	end := len(url)
	if i := strings.IndexAny(url[at:], `/?#\`); i >= 0 {
		end = at + i
	}
	if i := strings.LastIndexByte(url[at:end], '@'); i >= 0 {
		return url[:at] + url[at+i+1:]
	}
	return url
}
