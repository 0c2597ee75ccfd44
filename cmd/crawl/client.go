package crawl

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler/auth"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/cookies"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/identity"
)

// newClient asks hosts, by the routes of the config and under the guard, and others than
// hosts by their schemes.
func newClient(cfg *config.Config, gate *politeness.Gate, jar *cookies.Jar, known *auth.Auth, others map[string]fetch.Scheme, folder string, log *slog.Logger) (*fetch.Client, error) {
	guard, err := newGuard(cfg, gate, jar, known, log)
	if err != nil {
		return nil, err
	}
	routes, err := newRoutes(cfg)
	if err != nil {
		return nil, err
	}
	var memory int64
	if folder != "" {
		memory, _ = PageMemory(cfg)
	}
	return fetch.New(fetch.Options{
		UserAgent:   fetch.UserAgent(cfg.Politeness.Agent, version.Number, cfg.Politeness.Contact),
		Timeout:     cfg.Fetch.Timeout,
		MaxBody:     int64(cfg.Fetch.MaxBody),
		Workers:     cfg.Fetch.Workers,
		PerHost:     mostPerHost(cfg),
		MaxIdle:     maxIdle(cfg, openFiles()),
		Memory:      memory,
		TempDir:     folder,
		Resolve:     cfg.ResolveMap(),
		DialControl: politeness.DialControl(cfg.Fetch.AllowPrivate),
		ErrPrivate:  politeness.ErrPrivateAddress,
		Routes:      routes,
		Guard:       guard,
		Schemes:     others,
		ErrRefused:  politeness.ErrNotGranted,
		ErrLapsed:   politeness.ErrLapsed,
		Log:         log,
	})
}

// newGuard stands above the network: it lets through what politeness granted,
// gives it the cookies and credentials of its host, and signs it where the crawl has an identity,
// each attempt anew.
func newGuard(cfg *config.Config, gate *politeness.Gate, jar *cookies.Jar, known *auth.Auth, log *slog.Logger) (func(http.RoundTripper) http.RoundTripper, error) {
	credentials := func(next http.RoundTripper) http.RoundTripper {
		if jar == nil {
			return known.Wrap(next)
		}
		return jar.Wrap(known.Wrap(next))
	}
	id := &cfg.Politeness.Identity
	if id.Key == "" {
		return func(next http.RoundTripper) http.RoundTripper { return gate.Guard(onTheWeb{credentials(next), next}) }, nil
	}
	key, err := identity.Load(id.Key, log)
	if err != nil {
		return nil, fmt.Errorf("politeness.identity.key: %w", err)
	}
	form := identity.String
	if id.Form == "dictionary" {
		form = identity.Dictionary
	}
	signer, err := identity.New(identity.Options{Key: key, Agent: id.Agent, Form: form})
	if err != nil {
		return nil, fmt.Errorf("politeness.identity: %w", err)
	}
	return func(next http.RoundTripper) http.RoundTripper {
		return gate.Guard(onTheWeb{credentials(signer.RoundTripper(next, time.Now)), next})
	}, nil
}

// onTheWeb signs and credits requests of the web, and no others.
type onTheWeb struct{ web, other http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t onTheWeb) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" || req.URL.Scheme == "https" {
		return t.web.RoundTrip(req)
	}
	return t.other.RoundTrip(req)
}
