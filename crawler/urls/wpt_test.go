package urls

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// wptCase is a case of the web platform's urltestdata.json.
type wptCase struct {
	Input, Href, Protocol, Username, Password string
	Hostname, Port, Pathname, Search, Hash    string
	Base, Origin                              *string
	Failure                                   bool
}

// wptExceptions are the cases, as input and base, in which this package
// knowingly differs from the standard, each with its reason. There are none.
var wptExceptions = map[[2]string]string{}

func TestWebPlatform(t *testing.T) {
	dir := os.Getenv("AMBLE_VECTORS")
	if dir == "" {
		t.Skip("AMBLE_VECTORS is unset: it names the folder of url-wpt.json, the web platform's URL cases, which are not part of this project")
	}
	cases := readWPT(t, filepath.Join(dir, "url-wpt.json"))
	passed, differ := 0, map[[2]string]bool{}
	for _, c := range cases {
		base := ""
		if c.Base != nil {
			base = *c.Base
		}
		if diff := c.check(base); diff == "" {
			passed++
		} else if key := [2]string{c.Input, base}; wptExceptions[key] != "" {
			differ[key] = true
		} else {
			t.Errorf("%q on %q: %s", c.Input, base, diff)
		}
	}
	for key, reason := range wptExceptions {
		if !differ[key] {
			t.Errorf("%q on %q is listed as an exception (%s) and passes", key[0], key[1], reason)
		}
	}
	t.Logf("%d of %d cases pass", passed, len(cases))
	if passed < 876 {
		t.Errorf("%d cases pass, want 876 or more", passed)
	}
}

// readWPT reads the cases; the strings between them are comments.
func readWPT(t *testing.T, file string) (cases []wptCase) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row[0] == '"' {
			continue
		}
		var c wptCase
		if err := json.Unmarshal(row, &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// check returns what is wrong, "" if nothing.
func (c *wptCase) check(base string) string {
	u, err := parseOn(base, c.Input)
	switch {
	case c.Failure && err == nil:
		return "want a failure, got " + u.String()
	case c.Failure:
		return ""
	case err != nil:
		return err.Error()
	}
	prefixed := func(prefix, s string) string {
		if s == "" {
			return ""
		}
		return prefix + s
	}
	for _, part := range [][3]string{
		{"href", u.String(), c.Href},
		{"protocol", u.Scheme() + ":", c.Protocol},
		{"username", u.Username(), c.Username},
		{"password", u.Password(), c.Password},
		{"hostname", u.Hostname(), c.Hostname},
		{"port", u.Port(), c.Port},
		{"pathname", u.Path(), c.Pathname},
		{"search", prefixed("?", u.Query()), c.Search},
		{"hash", prefixed("#", u.Fragment()), c.Hash},
	} {
		if part[1] != part[2] {
			return part[0] + ": got " + part[1] + ", want " + part[2]
		}
	}
	// Only tuple origins: those of blob: and the opaque ones are "" here.
	if c.Origin != nil && *c.Origin != "null" && u.Scheme() != "blob" && u.Origin() != *c.Origin {
		return "origin: got " + u.Origin() + ", want " + *c.Origin
	}
	return ""
}

// parseOn parses ref, relative to base unless that is "".
func parseOn(base, ref string) (URL, error) {
	if base == "" {
		return Parse(ref)
	}
	b, err := Parse(base)
	if err != nil {
		return URL{}, err
	}
	return b.Resolve(ref)
}
