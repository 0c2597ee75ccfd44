package polite

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/signals"
)

// NewGate makes the owner of time from a config's politeness.
func NewGate(cfg *config.Config, usage signals.Policy, before Memory) (*politeness.Gate, error) {
	policy, err := policyOf(cfg)
	if err != nil {
		return nil, err
	}
	policy.File = TDMFile(&cfg.Politeness, usage)
	options := politeness.Options{Resumed: before.Used, Common: before.Common}
	if before.State != nil {
		m := memories{before.State}
		options.Recall, options.RecallFile, options.Debts = m.robots, m.file, m.debts
	}
	if policy.Group == politeness.GroupAddress {
		options.Address = addresses(cfg.ResolveMap()).of
	}
	return politeness.New(policy, options), nil
}

func policyOf(cfg *config.Config) (politeness.Policy, error) {
	p := &cfg.Politeness
	policy := politeness.Policy{
		Agent: p.Agent, Delay: p.Delay, Concurrency: p.Concurrency, IgnoreRobots: p.Robots == "ignore",
		MaxCrawlDelay: p.MaxCrawlDelay, MaxRetryAfter: p.MaxRetryAfter,
		CircuitAfter: p.CircuitAfter, CircuitGiveUp: p.CircuitGiveUp,
		Adaptive: p.Adaptive, AdaptiveFactor: p.AdaptiveFactor, MaxDelay: p.MaxDelay,
		// A crawl with fewer retries gives robots.txt up sooner as well.
		RobotsTries: min(cfg.Fetch.Retries+1, politeness.DefaultRobotsTries),
		Hosts:       make(map[string]politeness.HostPolicy, len(p.Hosts)),
		Digest:      func(body []byte) any { return signals.ParseRobotsTxt(body, p.Agent) },
	}
	if p.CircuitAfter == 0 {
		policy.CircuitAfter = -1 // the gate's word for never
	}
	if p.RobotsUnreachable == "allow-after-month" {
		policy.RobotsUnreachable = politeness.AllowAfterMonth
	}
	var err error
	if policy.Group, err = politeness.ParseGroup(p.Group); err != nil {
		return policy, fmt.Errorf("politeness.group: %w", err)
	}
	if policy.Hours, err = politeness.ParseHours(p.Hours, p.Timezone); err != nil {
		return policy, fmt.Errorf("politeness.hours: %w", err)
	}
	for host, x := range exceptionsOf(cfg) {
		exception := politeness.HostPolicy{Delay: x.delay, Concurrency: x.concurrency, API: x.api, CircuitMost: x.circuitMost, CircuitGiveUp: x.giveUp}
		if x.hours != "" {
			hours, err := politeness.ParseHours(x.hours, x.zone)
			if err != nil {
				return policy, fmt.Errorf("politeness.hosts.%s.hours: %w", host, err)
			}
			exception.Hours = &hours
		}
		policy.Hosts[host] = exception
	}
	return policy, nil
}

// lookupTimeout bounds the look-up of a host's address for its group.
const lookupTimeout = 5 * time.Second

// addresses tells the address of a host, with a crawl's own ones first.
type addresses map[string]string

func (a addresses) of(origin string) (string, bool) {
	u, err := urls.Parse(origin)
	if err != nil {
		return "", false
	}
	for _, name := range []string{u.Hostname() + ":" + PortOf(u), u.Hostname()} {
		if own, ok := a[name]; ok {
			host, _, err := net.SplitHostPort(own)
			return host, err == nil
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(found) == 0 {
		return "", false
	}
	slices.SortFunc(found, func(x, y netip.Addr) int { return x.Compare(y) })
	return found[0].Unmap().String(), true
}

// PortOf is the port that a URL leads to.
func PortOf(u urls.URL) string {
	if u.Port() == "" && u.Scheme() == "https" {
		return "443"
	}
	return cmp.Or(u.Port(), "80")
}
