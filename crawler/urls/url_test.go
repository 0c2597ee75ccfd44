package urls

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
)

// table reads a file of testdata: rows of columns between tabs, unquoted as Go
// strings, without blank lines and comments.
func table(t *testing.T, file string, columns int) (rows [][]string) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(line, "\t")
		if len(row) != columns {
			t.Fatalf("%s:%d: %d columns, want %d", file, n+1, len(row), columns)
		}
		for i := range row {
			if row[i], err = strconv.Unquote(`"` + strings.ReplaceAll(row[i], `"`, `\"`) + `"`); err != nil {
				t.Fatalf("%s:%d: column %d: %v", file, n+1, i+1, err)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func TestResolve(t *testing.T) {
	for _, row := range table(t, "resolve.txt", 3) {
		base, ref, want := row[0], row[1], row[2]
		got, err := parseOn(strings.TrimPrefix(base, "-"), ref)
		if message, bad := strings.CutPrefix(want, "!"); bad {
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), message) {
				t.Errorf("%q on %q: got %q, %v; want %v: ... %s", ref, base, got, err, ErrInvalid, message)
			}
		} else if err != nil || got.String() != want {
			t.Errorf("%q on %q: got %q, %v; want %q", ref, base, got, err, want)
		}
	}
}

func TestComponents(t *testing.T) {
	u := mustParse(t, "https://me:secret@books.example:8443/a/b?c=d#e")
	bare := mustParse(t, "http://[::1]/")
	mail := mustParse(t, "mailto:a@b.example?subject=x")
	for _, c := range []struct{ name, got, want string }{
		{"Scheme", u.Scheme(), "https"},
		{"Username", u.Username(), "me"},
		{"Password", u.Password(), "secret"},
		{"Hostname", u.Hostname(), "books.example"},
		{"Port", u.Port(), "8443"},
		{"Path", u.Path(), "/a/b"},
		{"Query", u.Query(), "c=d"},
		{"Fragment", u.Fragment(), "e"},
		{"Origin", u.Origin(), "https://books.example:8443"},
		{"Fetch", u.Fetch(), "https://books.example:8443/a/b?c=d"},
		{"Redacted", u.Redacted(), "https://books.example:8443/a/b?c=d#e"},
		{"WithoutFragment", u.WithoutFragment().String(), "https://me:secret@books.example:8443/a/b?c=d"},
		{"Username alone", mustParse(t, "http://me@h/").Username(), "me"},
		{"no Password", mustParse(t, "http://me@h/").Password(), ""},
		{"IPv6 Hostname", bare.Hostname(), "[::1]"},
		{"IPv6 Origin", bare.Origin(), "http://[::1]"},
		{"nothing else", bare.Username() + bare.Password() + bare.Port() + bare.Query() + bare.Fragment(), ""},
		{"mailto Path", mail.Path(), "a@b.example"},
		{"mailto Query", mail.Query(), "subject=x"},
		{"mailto Origin", mail.Origin(), ""},
		{"Path with two slashes", mustParse(t, "web+x:/.//y").Path(), "//y"},
		{"zero", URL{}.String() + URL{}.Fetch() + URL{}.Hostname() + URL{}.Port() + URL{}.Password() + URL{}.Origin(), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	if !u.IsHTTP() || mail.IsHTTP() || (URL{}).IsHTTP() || u.IsZero() || !(URL{}).IsZero() {
		t.Error("IsHTTP or IsZero is wrong")
	}
}

func TestBounds(t *testing.T) {
	base := mustParse(t, "https://books.example/"+strings.Repeat("d/", 2000))
	for _, c := range []struct {
		name, ref string
		want      error
	}{
		{"as long as it may be", "/" + strings.Repeat("a", MaxLen-len("https://books.example/")), nil},
		{"one byte more", "/" + strings.Repeat("a", MaxLen-len("https://books.example/")+1), ErrTooLong},
		{"too long as written", strings.Repeat("a/../", MaxLen/5) + "/b/", ErrTooLong},
		{"too long once resolved", strings.Repeat("a", 5000), ErrTooLong},
		{"too long once encoded", "/" + strings.Repeat("ü", MaxLen/4), ErrTooLong},
		{"too long once its host is named in ASCII", "http://xn--/" + strings.Repeat("ü", MaxLen/4), ErrTooLong},
		{"long, then short", strings.Repeat("a", 5000) + "/../" + strings.Repeat("../", 500), nil},
		{"host", "http://" + strings.Repeat("a", maxHost+1) + "/", ErrInvalid},
		{"credentials", "http://" + strings.Repeat("@", maxCredentials+1) + "@h/", ErrInvalid},
		{"credentials behind breaks", "ht\ntp:/\t/" + strings.Repeat("@", maxCredentials+1) + "@h/", ErrInvalid},
		{"at signs in a path", "http://h/" + strings.Repeat("@", maxCredentials+1), nil},
		{"scheme", strings.Repeat("a", maxScheme+1) + ":x", ErrInvalid},
	} {
		if u, err := base.Resolve(c.ref); !errors.Is(err, c.want) {
			t.Errorf("%s: got %.60q and %v, want %v", c.name, u, err, c.want)
		}
	}
	long := strings.Repeat("a", maxScheme+1) + "é"
	want := "https://books.example/" + strings.Repeat("a", maxScheme+1) + "%C3%A9"
	if u, err := mustParse(t, "https://books.example/b").Resolve(long); err != nil || u.String() != want {
		t.Errorf("long name: got %q, %v; want %q", u, err, want)
	}
}

func TestErrorsHideTheURL(t *testing.T) {
	for _, raw := range []string{"http://me:secret@h:x/", "http://me:secret@a b/", "//me:secret@h", "http://me:secret@[::/"} {
		if _, err := Parse(raw); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: error %v", raw, err)
		}
	}
}

func TestBaseOf(t *testing.T) {
	page := mustParse(t, "https://books.example/a/b?c#d")
	for href, want := range map[string]string{
		"":                    "https://books.example/a/b?c",
		"/x/":                 "https://books.example/x/",
		"../y/z#f":            "https://books.example/y/z#f",
		"//cdn.example":       "https://cdn.example/",
		"http://a b/":         page.String(),
		"data:text/html,x":    page.String(),
		"javascript:alert(1)": page.String(),
	} {
		if got := BaseOf(page, href); got.String() != want {
			t.Errorf("BaseOf(%q) = %q, want %q", href, got, want)
		}
	}
}

func TestOrdinaryLinksDoNotAllocateMuch(t *testing.T) {
	page := mustParse(t, benchPage)
	canon := &Canon{DropParams: []string{"utm_*"}}
	for name, c := range map[string]struct {
		most float64
		run  func()
	}{
		"absolute": {0, func() { _, _ = Parse(benchPage) }},
		"path":     {1, func() { _, _ = page.Resolve("/a/b.html") }},
		"dots":     {1, func() { _, _ = page.Resolve("../x?y=1") }},
		"fragment": {1, func() { _, _ = page.Resolve("#x") }},
		"key":      {0, func() { canon.Key(page) }},
	} {
		if got := testing.AllocsPerRun(100, c.run); got > c.most {
			t.Errorf("%s: %v allocations, want at most %v", name, got, c.most)
		}
	}
}
