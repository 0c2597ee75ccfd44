package crawl

import (
	"fmt"
	"log/slog"

	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler/auth"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/fetch"
)

// newAuth adds the credentials of a config to requests.
func newAuth(cfg *config.Config, log *slog.Logger) (*auth.Auth, error) {
	hosts := make(map[string]auth.Credentials, len(cfg.Fetch.Auth))
	for _, a := range cfg.Fetch.Auth {
		c := auth.Credentials{Bearer: a.Bearer}
		if b := a.Basic; b != nil {
			c.User, c.Password = b.User, b.Password
		}
		if k := a.Key; k != nil {
			c.Key, c.Header, c.Query = k.Value, k.Header, k.Query
		}
		if o := a.OAuth2; o != nil {
			c.OAuth2 = &auth.OAuth2{TokenURL: o.TokenURL, ClientID: o.ClientID, Secret: o.ClientSecret, Scopes: o.Scopes, Audience: o.Audience}
		}
		hosts[a.Host] = c
	}
	known, err := auth.New(auth.Options{
		Hosts: hosts, Timeout: cfg.Fetch.Timeout, Log: log,
		UserAgent: fetch.UserAgent(cfg.Politeness.Agent, version.Number, cfg.Politeness.Contact),
	})
	if err != nil {
		return nil, fmt.Errorf("fetch.auth: %w", err)
	}
	return known, nil
}
