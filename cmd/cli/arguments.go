package cli

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/query"
	"github.com/amblecrawl/amble/crawler/urls"
)

// ParseRequest reads a URL from the command line that may be that of a
// query, with its parameters in any order.
func ParseRequest(cfg *config.Config, raw string) (urls.URL, error) {
	if strings.HasPrefix(raw, download.Scheme+"://") || bucket.IsURL(raw) && cfg.HasBuckets() {
		return objectArgument(cfg, raw)
	}
	if !strings.HasPrefix(raw, query.Scheme+"://") {
		return ParseURL(raw)
	}
	parsed, err := url.Parse(raw)
	if err != nil {
		return urls.URL{}, exit.With(exit.Config, fmt.Errorf("%q is not the URL of a query", raw))
	}
	call, err := cfg.QuerySet().Read(parsed)
	if err != nil {
		return urls.URL{}, exit.With(exit.Config, err)
	}
	u, err := call.URL()
	if err != nil {
		return u, exit.With(exit.Config, err)
	}
	return u, nil
}

// ParseURL reads a URL from the command line.
func ParseURL(raw string) (urls.URL, error) {
	u, err := urls.Parse(raw)
	if err == nil && !u.IsHTTP() {
		err = fmt.Errorf("want an http or https URL")
	}
	if err != nil {
		return u, exit.With(exit.Config, fmt.Errorf("%q: %w", raw, err))
	}
	return u, nil
}

// objectArgument reads the URL of an object from the command line. That of a connection
// alone is the first page of what its seed lists.
func objectArgument(cfg *config.Config, raw string) (urls.URL, error) {
	refuse := func(format string, args ...any) (urls.URL, error) {
		return urls.URL{}, exit.With(exit.Config, fmt.Errorf("%q: "+format, append([]any{raw}, args...)...))
	}
	var names []string
	for i := range cfg.Connections {
		k := &cfg.Connections[i]
		if !k.IsBucket() {
			continue
		}
		names = append(names, download.Scheme+"://"+k.Name+"/KEY")
		if key, below := strings.CutPrefix(raw, strings.TrimSuffix(k.URL, "/")+"/"); below && key != "" {
			if u, err := download.ObjectURL(k.Name, key); err == nil {
				return refuse("objects are written with their connection: %s", u)
			}
		}
	}
	if !strings.HasPrefix(raw, download.Scheme+"://") {
		return refuse("objects are written with their connection: %s", strings.Join(names, ", "))
	}
	u, err := urls.Parse(raw)
	if err != nil {
		return refuse("not the URL of an object")
	}
	if !slices.Contains(names, download.Scheme+"://"+u.Hostname()+"/KEY") {
		return refuse("the config has no bucket of this name; it has %s", strings.Join(names, ", "))
	}
	if _, isObject := download.KeyOf(u); isObject || u.Query() != "" {
		return u, nil
	}
	for _, l := range cfg.Listings() {
		if l.Connection == u.Hostname() {
			return l.URL()
		}
	}
	return (&download.Listing{Connection: u.Hostname()}).URL()
}
