package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/monitor"
)

// Daemon is what the dashboard asks of a [daemon.Daemon].
type Daemon interface {
	Status() []daemon.Status
	Start(crawl string) error
	Stop(crawl string) error
	Pause(crawl string) error
	Resume(crawl string) error
}

// History is what the dashboard asks of a [history.History].
type History interface {
	List(ctx context.Context, f history.Filter) ([]history.Run, error)
	Get(ctx context.Context, number int64) (history.Run, error)
}

// Config is one file that the daemon was given.
type Config struct {
	Crawl    string // empty where no version of it could be used
	File     string
	Cron     string
	Timezone string
	Alerts   int    // how many targets it names
	Mistakes string // of the version that is on the disk now, empty without any
}

// Lint is a config's text as it is on the disk, and what is to be said about it.
type Lint struct {
	Text     string
	Findings []Finding
}

// Finding is a mistake or a warning.
type Finding struct {
	Line, Column int
	Message      string
	Warning      bool
}

// Sent is what became of a test message to one of a crawl's alerts.
type Sent struct {
	Alert int    `json:"alert"` // its place in the config, from 0
	To    string `json:"to"`
	Error string `json:"error,omitempty"` // empty: it was taken
}

// Options are what a dashboard works with. Daemon, History, Board, Configs and Lint
// are required.
type Options struct {
	Daemon  Daemon
	History History
	Board   *monitor.Board
	Configs func() []Config
	Lint    func(file string) (Lint, error)
	// TryAlerts sends a test message to the alerts of a crawl; nil where there are none.
	TryAlerts func(ctx context.Context, crawl string) ([]Sent, error)
	// Host reads of a host from the account of a crawl; nil where there is none. Its
	// error is ErrNoHost where nothing is known of the host.
	Host func(ctx context.Context, crawl, host string) (*HostAccount, error)

	// Token is asked of everybody where it is not empty.
	Token string
	// Hosts are names under which the dashboard is reached, beside localhost and
	// addresses.
	Hosts []string

	Version string
	Log     *slog.Logger
	Now     func() time.Time
}

// leastToken is the length of the shortest token that cannot be guessed.
const leastToken = 16

// ErrToken means that an address may not be listened at with the token there is.
var ErrToken = errors.New("a token is needed")

// CheckToken tells whether a dashboard may listen at an address: beyond loopback
// only with a token, and with one that cannot be guessed.
func CheckToken(listen, token string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("%q: want an address and a port, such as 127.0.0.1:7733", listen)
	}
	if token != "" && len(token) < leastToken {
		return fmt.Errorf("%w that has at least %d characters: openssl rand -hex 16 makes one", ErrToken, leastToken)
	}
	if token == "" && !loopback(host) {
		return fmt.Errorf("%w to listen at %s, which others can reach: set AMBLE_TOKEN, such as to what openssl rand -hex 16 prints, or listen at 127.0.0.1", ErrToken, listen)
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (opt *Options) defaults() {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	opt.Version = cmp.Or(opt.Version, "unknown")
	for i := range opt.Hosts {
		opt.Hosts[i] = strings.ToLower(opt.Hosts[i])
	}
}
