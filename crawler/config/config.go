package config

import (
	"net/netip"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/query"
	"github.com/amblecrawl/amble/crawler/trust"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Config is one crawl, checked and with its defaults. Paths are absolute when
// the path it was loaded from is.
type Config struct {
	Name       string        `yaml:"name" default:"(the file's name without its ending)" doc:"Names the crawl in summaries, in records' runs and in its state: letters, digits, dots, dashes and underscores."`
	Seeds      []Seed        `yaml:"seeds" required:"true" doc:"Where the crawl starts: URLs, sitemaps, files of URLs, rows of datasets and queries."`
	Scope      Scope         `yaml:"scope" doc:"Which URLs belong to the crawl."`
	Links      Links         `yaml:"links" default:"({css: \"a[href]\"})" doc:"Which links of a page are followed: a rule such as {css: \"a.next\"}, a list of rules, or false for none. The keys of a rule that say where it finds links are in docs/plugins.md."`
	Politeness Politeness    `yaml:"politeness" doc:"How hosts are treated."`
	Fetch      Fetch         `yaml:"fetch" doc:"How pages are fetched."`
	Login      *Login        `yaml:"login" doc:"How the crawl logs in before its first page, and again when its session has ended. docs/http.md has the rules."`
	Extract    Extract       `yaml:"extract" doc:"What is read from pages: record types, each with an extractor and its options. Without it, a crawl that has outputs writes a record of type page for each HTML page."`
	Output     Outputs       `yaml:"output" default:"(jsonl: out/{type}.jsonl, where there is something to extract)" doc:"Where records go: a list of sinks, each with its path or its options. Paths are relative to the config file; {type}, {run} and {date} stand for the record type, the run and its date."`
	Rejects    string        `yaml:"rejects,path" default:"(_rejects.jsonl beside the records)" doc:"File of the records that are not written with the others, as JSON Lines with the reason, page, field and selector; {type}, {run} and {date} as in output. It is made when there is one."`
	Drift      Drift         `yaml:"drift" doc:"What is done when records are not what they were in the last good run: docs/trust.md has the rules."`
	State      string        `yaml:"state,path" default:"(.amble/<name> beside the config)" doc:"Folder of the run's state, from which an interrupted run resumes."`
	Revisit    Revisit       `yaml:"revisit" doc:"How a run uses what earlier runs knew of pages: conditional requests, changes, and when a page is asked for again."`
	Schedule   Schedule      `yaml:"schedule" doc:"When amble serve runs the crawl: docs/serve.md has the rules. amble run does not look at it."`
	History    History       `yaml:"history" doc:"How much is remembered of the crawl's runs and of what they asked for."`
	Alerts     []Alert       `yaml:"alerts" doc:"Who amble serve tells when a run fails, drifts, has no record or is too slow: a list of webhooks and commands. docs/serve.md has the message."`
	Commit     Commit        `yaml:"commit" doc:"How many finished pages are written at once."`
	Grace      time.Duration `yaml:"grace" default:"10s" max:"10m" doc:"Time that pages in flight have to finish when the run is told to stop."`

	Connections []Connection `yaml:"connections" doc:"Databases and buckets, by name: docs/databases.md and docs/downloads.md have the rules."`
	Downloads   Downloads    `yaml:"downloads" doc:"Where files go that seeds, links and fields lead to: docs/downloads.md has the rules."`
	Queries     []Query      `yaml:"queries" doc:"Queries that seeds name: rows become records."`

	Aggregate []Aggregate `yaml:"aggregate" doc:"What records are summed up to at the end of the run, as records of their own types, by name: docs/aggregate.md has the rules."`

	// File is the config's path as given, Dir the folder that paths are relative to.
	File string `yaml:"-"`
	Dir  string `yaml:"-"`

	secrets *secrets
	reading reading
	rejects crawler.Sink
	queries query.Set

	downloadFields bool // extractors name files
}

// Redact takes out of a text every value that the config got from the
// environment, for logs and errors.
func (c *Config) Redact(text string) string { return c.secrets.hide(text) }

// Drift is when a run's records count as other than those of the last good run.
type Drift struct {
	Action     string  `yaml:"action,scalar" default:"warn" enum:"warn,fail,off" doc:"Whether a run that drifted says so, also ends with exit status 1, or is not compared."`
	Threshold  float64 `yaml:"threshold" default:"0.2" min:"0.01" max:"1" doc:"The fall that counts, as a part: of the records that have a field and of the records of a page, against what they were; of the values that are of the type and shape they were."`
	MinRecords int64   `yaml:"min_records" default:"20" min:"1" doc:"Records, values or pages that both runs must have for a comparison."`
}

// Seed is a place to start from; exactly one of URL, Sitemap, File, Rows and Query is
// set, but that rows come with the template of a URL.
type Seed struct {
	URL     string `yaml:"url,scalar" doc:"An http or https URL. Beside rows, a template of one: {{column}} is the value of that column, percent-encoded."`
	Sitemap string `yaml:"sitemap" doc:"URL of a sitemap or sitemap index, gzipped or not: every URL it lists."`
	File    string `yaml:"file,path" doc:"A text file with a URL on each line; empty lines and lines that begin with # are passed over."`

	Rows        Dataset           `yaml:"rows" doc:"A dataset to enrich, each row by one request: a file (.csv and .tsv with a header, .jsonl, .parquet), or the rows of a query. docs/api.md tells more."`
	Key         []string          `yaml:"key" doc:"The columns by which a row is known: they make the _key of its record, so that this is the same wherever the row stands; of rows that share one, the first is asked for."`
	Batch       RowBatch          `yaml:"batch" doc:"Has the rows asked for in batches, many by one request; a number is the size. docs/api.md tells more."`
	Delimiter   string            `yaml:"delimiter" default:"(a comma; a tab in .tsv)" doc:"What stands between the columns of a CSV file."`
	Method      string            `yaml:"method" default:"(GET; POST with a body)" doc:"The method of the rows' requests."`
	Headers     map[string]string `yaml:"headers" doc:"Header fields of the rows' requests, templates as url is. For secrets see fetch.auth."`
	Body        string            `yaml:"body" doc:"A template of the rows' bodies; values are escaped as the Content-Type asks: application/json (also where the body begins with { or [), or application/x-www-form-urlencoded."`
	Type        string            `yaml:"type" default:"(the one under extract)" doc:"The record type of the rows' records; needed where extract has several."`
	Idempotency bool              `yaml:"idempotency" default:"false" doc:"Sends an Idempotency-Key with each row's request, the same whenever it is repeated, so that a request which is not safe may be sent again."`

	Query     string            `yaml:"query" doc:"A query, whose rows become records."`
	Params    map[string]string `yaml:"params" doc:"The values of the query's parameters."`
	Partition Partition         `yaml:"partition" doc:"Has the query asked in parts."`

	Bucket   string   `yaml:"bucket" doc:"A bucket whose objects are downloaded: a connection, s3://name of a public one, or file:folder. docs/downloads.md tells more."`
	Prefix   string   `yaml:"prefix" doc:"What the objects' keys begin with."`
	Include  []string `yaml:"include" default:"(everything)" doc:"Path globs, of which a key behind the prefix's last slash must match one, such as \"**.pdf\"."`
	Exclude  []string `yaml:"exclude" doc:"Path globs, of which it must match none."`
	Download bool     `yaml:"download" default:"false" doc:"With url or file: what is there is a file to keep, not a page."`

	connection string // that the bucket is
}

// Scope is which URLs belong to a crawl.
type Scope struct {
	Hosts      []string  `yaml:"hosts" default:"(the hosts of the seeds)" doc:"Hosts: books.example is that host, *.books.example its subdomains; :port asks for a port."`
	Include    []Pattern `yaml:"include" default:"(everything)" doc:"A link's URL must match one of these: path globs, or {regex: ...} on the whole URL. Seeds need not."`
	Exclude    []Pattern `yaml:"exclude" doc:"A URL must match none of these, whatever include says."`
	MaxDepth   int       `yaml:"max_depth" default:"0" min:"0" max:"65535" doc:"Most links between a seed and a page; 0: no bound."`
	MaxPages   int64     `yaml:"max_pages" default:"0" min:"0" doc:"Most pages to fetch with a 2xx answer; 0: no bound."`
	Canonical  string    `yaml:"canonical" default:"ignore" enum:"ignore,follow,only" doc:"What is done about a page that names another URL in scope as its canonical one: follow fetches that too, only also leaves the records to it."`
	DropParams []string  `yaml:"drop_params" doc:"Query parameters that do not make another page, such as utm_*: URLs that differ only in them are fetched once."`
	Traps      Traps     `yaml:"traps" doc:"What a site can make up without end, and how much of it is fetched; off for all of it. docs/traps.md has the rules."`
}

// Traps are the rules for what a site can make up without end.
type Traps struct {
	Mode           string `yaml:"mode,scalar" default:"cut" enum:"cut,off" doc:"Whether the rules apply at all."`
	Repeats        int    `yaml:"repeats" default:"3" min:"0" max:"100" doc:"Rounds that a path may go, such as 2 in /a/b/a/b; 0: any number."`
	Sessions       string `yaml:"sessions" default:"strip" enum:"strip,keep" doc:"Whether URLs that differ only in a session's id (;jsessionid=, PHPSESSID=, /(S(...))/) are one page."`
	Facets         int64  `yaml:"facets" default:"5000" min:"0" doc:"Pages of one path with two or more query parameters, where these combine freely as filters do; 0: no bound."`
	Stale          int64  `yaml:"stale" default:"200" min:"0" doc:"Pages in a row of one pattern, reached through itself, that say nothing new; 0: no bound."`
	Pattern        int64  `yaml:"pattern" default:"200000" min:"0" doc:"Pages of one pattern that are reached through itself, on one host; 0: no bound."`
	NearDuplicates string `yaml:"near_duplicates" default:"off" enum:"off,cut" doc:"Whether the links of a page are left alone that says nearly what another page of the host has said."`
}

// Pattern selects URLs; exactly one of its fields is set.
type Pattern struct {
	Glob  string `yaml:"glob,scalar" doc:"Path glob: * within a segment, ** across segments, {a,b} either; with a ? it is matched against path and query."`
	Regex string `yaml:"regex" doc:"RE2, searched in the whole URL."`
}

// LinkRule is a selection of links on a page, and what is known of where they lead.
// The keys of its finder stand beside its own.
type LinkRule struct {
	Match    []Pattern `yaml:"match" default:"(every URL)" doc:"The URLs that the rule is for: path globs, or {regex: ...} on the whole URL."`
	Exclude  []Pattern `yaml:"exclude" doc:"URLs that the rule is not for."`
	MaxDepth int       `yaml:"max_depth" default:"0" min:"0" max:"65535" doc:"Most links between a seed and what the rule leads to; 0: no bound."`
	Priority uint8     `yaml:"priority" default:"0" doc:"Of one host's requests, those of lower values leave first."`
	Download bool      `yaml:"download" default:"false" doc:"What the rule leads to are files to keep, not pages."`
	LeadsTo  []string  `yaml:"leads_to" doc:"Record types of the pages that it leads to. A type that has no match is read from no other pages."`

	Finder crawler.LinkFinder `yaml:"-"`
}

// Links say which links are followed. Without Rules and Off the pipeline's
// default holds. Of several rules that find a URL on a page the first decides.
type Links struct {
	Off   bool
	Rules []LinkRule
}

// Politeness is how hosts are treated.
type Politeness struct {
	Agent             string          `yaml:"agent" default:"amble" doc:"The product token that is matched against robots.txt and begins the User-Agent: letters, - and _."`
	Contact           string          `yaml:"contact" doc:"A URL or mail address for the sites' operators; goes into the User-Agent."`
	Delay             time.Duration   `yaml:"delay" default:"1s" max:"24h" doc:"Time between the end of a host's response and the next request to it."`
	Concurrency       int             `yaml:"concurrency" default:"1" min:"1" max:"1000" doc:"Requests in flight per host."`
	Robots            string          `yaml:"robots" default:"obey" enum:"obey,ignore" doc:"Whether robots.txt is obeyed; ignore needs allow_ignore_robots."`
	AllowIgnoreRobots bool            `yaml:"allow_ignore_robots" default:"false" doc:"Confirms that robots: ignore is meant. It is logged."`
	Hosts             []HostException `yaml:"hosts" doc:"Exceptions by host, by host:port, or by *.host for its subdomains."`
	MaxCrawlDelay     time.Duration   `yaml:"max_crawl_delay" default:"60s" max:"24h" doc:"The longest Crawl-delay of a robots.txt that is granted in full."`
	MaxRetryAfter     time.Duration   `yaml:"max_retry_after" default:"24h" max:"720h" doc:"The longest that a Retry-After, or a quota of which nothing is left, puts a host off."`
	Adaptive          bool            `yaml:"adaptive" default:"false" doc:"Lets the delay follow the host's load, between delay and max_delay: adaptive_factor times the time of its answers, more after 429 and 503."`
	AdaptiveFactor    float64         `yaml:"adaptive_factor" default:"2" min:"0.1" max:"1000" doc:"How many times as long as it worked on an answer a host is left alone, where adaptive is on."`
	MaxDelay          time.Duration   `yaml:"max_delay" default:"60s" max:"24h" doc:"The longest delay that adaptive makes."`
	Hours             string          `yaml:"hours" doc:"The part of the day in which requests may be sent, such as 22:00-06:00."`
	Timezone          string          `yaml:"timezone" default:"UTC" doc:"The time zone of hours, such as Europe/Berlin."`
	Group             string          `yaml:"group" default:"host" enum:"host,address,domain" doc:"Which hosts share one delay and concurrency: none, those at one address, or those of one registrable domain."`
	CircuitAfter      int             `yaml:"circuit_after" default:"25" min:"0" max:"10000" doc:"Failures in a row (connections, timeouts, 502 to 504) after which a host is set aside and only probed, its URLs waiting; 0: never."`
	CircuitGiveUp     time.Duration   `yaml:"circuit_give_up" default:"6h" min:"1s" max:"720h" doc:"How long a host fails until its URLs are given up, but for the probes."`
	RobotsUnreachable string          `yaml:"robots_unreachable" default:"deny" enum:"deny,allow-after-month" doc:"What becomes of a host whose robots.txt could not be had for 30 days (RFC 9309 section 2.3.1.4)."`
	Nofollow          string          `yaml:"nofollow" default:"obey" enum:"obey,ignore" doc:"What X-Robots-Tag and meta robots with nofollow do: obey follows no link of such a page."`
	RelNofollow       string          `yaml:"rel_nofollow" default:"follow" enum:"follow,skip" doc:"Whether links with rel=nofollow, ugc or sponsored are followed."`
	Noindex           string          `yaml:"noindex" default:"keep" enum:"keep,drop" doc:"Whether a page with noindex, or past its unavailable_after, gives records."`
	Usage             Usage           `yaml:"usage" doc:"What may be done with pages by the sites' usage signals (Content-Signal, Content-Usage, TDMRep, RSL): a use and its rule."`
	Noarchive         string          `yaml:"noarchive" default:"keep" enum:"keep,drop" doc:"Whether a page with noarchive or nocache gives records."`
	TDMRep            string          `yaml:"tdmrep" default:"auto" enum:"auto,always,never" doc:"Whether hosts are asked for /.well-known/tdmrep.json before their first page: auto where usage.tdm or usage.ai-train is respect or require-allow."`
	Identity          Identity        `yaml:"identity" doc:"Signs each request, so that sites can verify who crawls: Web Bot Auth."`
}

// Usage is the rule for each use that sites speak of: record notes what a site
// states, ignore does not, respect gives no records where the use is denied, and
// require-allow none unless it is allowed.
type Usage struct {
	Search  string `yaml:"search" default:"record" enum:"record,ignore,respect,require-allow" doc:"Search engines."`
	AIInput string `yaml:"ai-input" default:"record" enum:"record,ignore,respect,require-allow" doc:"Input to AI models, such as grounding of answers."`
	AITrain string `yaml:"ai-train" default:"record" enum:"record,ignore,respect,require-allow" doc:"Training of AI models."`
	TDM     string `yaml:"tdm" default:"record" enum:"record,ignore,respect,require-allow" doc:"Text and data mining."`
	License string `yaml:"license" default:"record" enum:"record,ignore,respect" doc:"A licence is named (RSL)."`
}

// Rules gives the rules by the name of the use.
func (u *Usage) Rules() map[string]string {
	return map[string]string{
		"search": u.Search, "ai-input": u.AIInput, "ai-train": u.AITrain, "tdm": u.TDM, "license": u.License,
	}
}

// Identity is who signs the requests; without a key nobody does.
type Identity struct {
	Key   string `yaml:"key,path" doc:"File of an Ed25519 key, made by amble keys new."`
	Agent string `yaml:"agent" doc:"The https origin that publishes the key's directory."`
	Form  string `yaml:"form" default:"string" enum:"string,dictionary" doc:"How Signature-Agent is written: as verifiers in use know it, or as the newest draft asks."`
}

// HostException is what differs for one host. Nil fields keep the rule.
type HostException struct {
	Host        string         `yaml:",key"`
	Delay       *time.Duration `yaml:"delay" max:"24h" doc:"Replaces politeness.delay."`
	Concurrency *int           `yaml:"concurrency" min:"1" max:"1000" doc:"Replaces politeness.concurrency."`
	Hours       string         `yaml:"hours" doc:"Replaces politeness.hours; 00:00-24:00 is the whole day."`
	Timezone    string         `yaml:"timezone" default:"(politeness.timezone)" doc:"The time zone of the host's hours."`
	API         bool           `yaml:"api" default:"false" doc:"The host is an interface for programs that you may use: its robots.txt is neither asked for nor obeyed, which the ledger notes. Delays and what the host asks for hold."`
}

// Fetch is how pages are fetched.
type Fetch struct {
	Workers      int           `yaml:"workers" default:"64" min:"1" max:"10000" doc:"Requests in flight in all. More than there are hosts that may hang at once, so that the others need not wait."`
	Timeout      time.Duration `yaml:"timeout" default:"30s" min:"1ms" max:"1h" doc:"For one page, from the request to the last byte."`
	MaxBody      Size          `yaml:"max_body" default:"10MiB" min:"1B" max:"1GiB" doc:"Largest body after decompression; a larger page is an outcome, never cut."`
	Memory       Size          `yaml:"memory" default:"(half of GOMEMLIMIT; 128MiB without)" min:"1MiB" max:"1TiB" doc:"Memory for the pages in flight, from their first byte to their commit, as estimated by their size and type: a quarter while they arrive, the rest while they are read. What finds no room waits in a file of the state's folder; a document that would take more than is left to one page is not read, and says so."`
	Retries      int           `yaml:"retries" default:"3" min:"0" max:"100" doc:"Further attempts after a temporary failure; for robots.txt at most 3."`
	AllowPrivate bool          `yaml:"allow_private" default:"false" doc:"Lets the crawl reach loopback and private addresses."`
	Auth         []Auth        `yaml:"auth" doc:"Credentials by host, which is asked by https then, or by host:port, which is asked as it stands. They are sent to that host alone, and are in no state, record or log. Each has bearer, basic, key or oauth2. docs/api.md tells more."`
	Headers      []Header      `yaml:"headers" doc:"Header fields that every host is sent: a name and its value. docs/http.md tells more of this and of what follows."`
	TLS          TLS           `yaml:"tls" doc:"Authorities and certificates for https."`
	Proxy        []string      `yaml:"proxy" doc:"Proxies: http://host:3128, https://host:443, socks5://host:1080 (names are resolved here) or socks5h://host:1080 (there). Of several one that fails is set aside for a while. The environment (HTTP_PROXY and the like) is not asked."`
	ProxyBy      string        `yaml:"proxy_by" default:"host" enum:"host,request" doc:"Of several proxies, whether a host keeps its own or each request takes the next."`
	NoProxy      []string      `yaml:"no_proxy" doc:"What is connected to directly: hosts, host:port, *.host, IP addresses or prefixes such as 10.0.0.0/8."`
	Cookies      string        `yaml:"cookies" default:"off" enum:"off,host,crawl" doc:"Whether cookies are kept and sent back: host keeps those of each host apart, crawl lets the hosts of a domain share them, as a browser does. They last until the run has finished."`
	Cache        *Cache        `yaml:"cache" doc:"Keeps answers on disk for as long as their servers say that they hold (RFC 9111), from run to run: a folder, or its keys. What is fresh costs no request."`
	Hosts        []FetchHost   `yaml:"hosts" doc:"Exceptions by host, by host:port, or by *.host for its subdomains; the nearest counts."`
	Resolve      []Resolve     `yaml:"resolve" doc:"Addresses to use in place of DNS: host (for every port) or host:port (goes before it) to ip:port."`
}

// Auth is the credentials of one host; exactly one kind of them is set.
type Auth struct {
	Host   string      `yaml:",key"`
	Bearer string      `yaml:"bearer" doc:"A token, sent as Authorization: Bearer."`
	Basic  *BasicAuth  `yaml:"basic" doc:"A user and a password (RFC 7617)."`
	Key    *KeyAuth    `yaml:"key" doc:"A key in a header field or in the query."`
	OAuth2 *OAuth2Auth `yaml:"oauth2" doc:"Tokens by client credentials (RFC 6749 section 4.4), renewed before they end and when they are refused."`
}

// BasicAuth is a user with a password.
type BasicAuth struct {
	User     string `yaml:"user" required:"true" doc:"The user."`
	Password string `yaml:"password" doc:"The password, such as ${PASSWORD}."`
}

// KeyAuth is a key and the place it is sent in.
type KeyAuth struct {
	Value  string `yaml:"value" required:"true" doc:"The key, such as ${API_KEY}."`
	Header string `yaml:"header" doc:"The header field that holds it, such as X-API-Key."`
	Query  string `yaml:"query" doc:"The parameter that holds it, such as api_key. A header field is safer where the API takes one."`
}

// OAuth2Auth is a client of OAuth 2.0.
type OAuth2Auth struct {
	TokenURL     string   `yaml:"token_url" required:"true" doc:"Where tokens are fetched."`
	ClientID     string   `yaml:"client_id" required:"true" doc:"The client's name."`
	ClientSecret string   `yaml:"client_secret" doc:"Its secret, such as ${CLIENT_SECRET}."`
	Scopes       []string `yaml:"scopes" doc:"What the token is asked for."`
	Audience     string   `yaml:"audience" doc:"Whom the token is for, where the server asks for that."`
}

// Resolve is the address of one host.
type Resolve struct {
	Host    string         `yaml:",key"`
	Address netip.AddrPort `yaml:"address,scalar" required:"true" doc:"ip:port."`
}

// Commit bounds the batches in which finished pages are written.
type Commit struct {
	Pages    int           `yaml:"pages" default:"256" min:"1" max:"100000" doc:"Pages in a batch."`
	Bytes    Size          `yaml:"bytes" default:"8MiB" min:"1KiB" max:"1GiB" doc:"Records and links in a batch."`
	Interval time.Duration `yaml:"interval" default:"500ms" min:"1ms" max:"10m" doc:"Longest wait of a finished page for its batch."`
}

// Rule is one record type: which pages it is read from, and by what.
type Rule struct {
	Type      string
	Match     *Pattern // nil: every page
	Plugin    string   // the extractor's ID
	Extractor crawler.Extractor
	Required  []string      // fields that a record must have
	Schema    *trust.Schema // nil: none
}

// Extract lists the record types in the order of the file.
type Extract []Rule

// Output is one sink.
type Output struct {
	// Name is the same from run to run while the sink writes to the same
	// place: the plugin's ID and its path.
	Name   string
	Plugin string // the sink's ID
	Sink   crawler.Sink
}

// Outputs lists the sinks in the order of the file.
type Outputs []Output

// Pattern gives the pattern as package urls takes it.
func (p Pattern) urls() urls.Pattern { return urls.Pattern{Glob: p.Glob, Regex: p.Regex} }
