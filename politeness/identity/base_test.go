package identity

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// component asks for the value of one component, written as in Signature-Input.
func component(t *testing.T, m *message, identifier string) (string, error) {
	t.Helper()
	it, err := parseItem(identifier)
	if err != nil {
		t.Fatal(err)
	}
	return m.component(it.value.(string), it.params)
}

// The values that RFC 9421 sections 2.1 and 2.2 give, and their neighbours.
func TestComponents(t *testing.T) {
	for _, x := range []struct{ url, identifier, want string }{
		{"https://www.example.com/path?param=value", `"@target-uri"`, "https://www.example.com/path?param=value"},
		{"https://www.example.com/path?param=value", `"@method"`, "POST"},
		{"https://WWW.Example.com:443/path", `"@authority"`, "www.example.com"},
		{"http://www.example.com:80/path", `"@authority"`, "www.example.com"},
		{"http://www.example.com:443/path", `"@authority"`, "www.example.com:443"},
		{"https://www.example.com:8443/", `"@authority"`, "www.example.com:8443"},
		{"https://[2001:DB8::1]:443/", `"@authority"`, "[2001:db8::1]"},
		{"https://[2001:db8::1]:4430/", `"@authority"`, "[2001:db8::1]:4430"},
		{"HTTP://www.example.com/path", `"@scheme"`, "http"},
		{"https://www.example.com", `"@path"`, "/"},
		{"https://www.example.com/a%2Fb/../c%7e", `"@path"`, "/a%2Fb/../c%7e"},
		{"https://www.example.com/path?param=value&foo=bar&baz=bat%2Dman", `"@query"`, "?param=value&foo=bar&baz=bat%2Dman"},
		{"https://www.example.com/path?queryString", `"@query"`, "?queryString"},
		{"https://www.example.com/path", `"@query"`, "?"},
		{"https://www.example.com/path?", `"@query"`, "?"},
		{"https://www.example.com/path?", `"@target-uri"`, "https://www.example.com/path?"},
		{"https://www.example.com/path?a?", `"@target-uri"`, "https://www.example.com/path?a?"},
		{"https://www.example.com?a=b", `"@target-uri"`, "https://www.example.com/?a=b"},
	} {
		req, err := http.NewRequest(http.MethodPost, x.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := requestMessage(req, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := component(t, m, x.identifier); got != x.want || err != nil {
			t.Errorf("%s of %s: %q, %v, want %q", x.identifier, x.url, got, err, x.want)
		}
	}
}

// A request in which net/url leaves the path alone is signed as it is sent.
func TestOpaqueTarget(t *testing.T) {
	req := &http.Request{URL: &url.URL{Scheme: "https", Host: "a.example", Opaque: "//a.example/x%2f?q={"}}
	m, err := requestMessage(req, "")
	if err != nil {
		t.Fatal(err)
	}
	if m.path != "/x%2f" || m.query != "?q={" || m.method != "GET" || m.authority != "a.example" {
		t.Errorf("%+v", m)
	}
}

// A request as it was received, in origin form and in absolute form.
func TestReceivedTarget(t *testing.T) {
	for _, target := range []string{"/p?q=%41", "http://a.example/p?q=%41"} {
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: A.example:443\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		m, err := requestMessage(req, "https")
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := component(t, m, `"@target-uri"`); got != "https://a.example/p?q=%41" {
			t.Errorf("%s: %s", target, got)
		}
		if m.target != "/p?q=%41" {
			t.Errorf("%s: target %s", target, m.target)
		}
	}
}

func TestFields(t *testing.T) {
	m := &message{header: http.Header{
		"X-Ows-Header":      {"   Leading and trailing whitespace.   "},
		"X-Obs-Fold-Header": {"Obsolete\r\n    line folding."},
		"Cache-Control":     {"max-age=60", "   must-revalidate"},
		"Example-Dict":      {"  a=1,    b=2;x=1;y=2,   c=(a   b   c), d"},
		"Example-Header":    {"value, with, lots", "of, commas"},
		"X-Empty-Header":    {""},
	}}
	for identifier, want := range map[string]string{
		`"x-ows-header"`:         "Leading and trailing whitespace.",
		`"x-obs-fold-header"`:    "Obsolete line folding.",
		`"cache-control"`:        "max-age=60, must-revalidate",
		`"example-dict"`:         "a=1,    b=2;x=1;y=2,   c=(a   b   c), d",
		`"example-dict";key="a"`: "1",
		`"example-dict";key="b"`: "2;x=1;y=2",
		`"example-dict";key="c"`: "(a b c)",
		`"example-dict";key="d"`: "?1",
		`"example-header"`:       "value, with, lots, of, commas",
		`"example-header";bs`:    ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:",
		`"x-empty-header"`:       "",
	} {
		if got, err := component(t, m, identifier); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", identifier, got, err, want)
		}
	}
}

func TestRefusedBases(t *testing.T) {
	m := &message{
		method: "GET", scheme: "https", authority: "a.example", path: "/", query: "?", target: "/",
		header: http.Header{"X-A": {"1"}, "X-Umlaut": {"ü"}, "X-Line": {"a\nb"}, "X-Long": {strings.Repeat("x", maxBase)}},
	}
	for _, input := range []string{
		`s=("@authority" "@authority")`, // twice
		`s=("x-a" "x-missing")`,         // not there
		`s=("X-A")`,                     // upper case
		`s=("@status")`,                 // of a response
		`s=("@query-param";name="a")`,   // not supported
		`s=("@signature-params")`,       // not to be covered
		`s=("@authority";req)`,          // of a response
		`s=("x-a";sf)`, `s=("x-a";tr)`,  // not supported
		`s=("x-a";key)`, `s=("x-a";bs=?0)`, // not of their type
		`s=("x-a";key="a";bs)`, `s=("@path";bs)`, `s=("@path";key="a")`,
		`s=("x-a";key="zz")`, // no such member
		`s=("x-umlaut")`, `s=("x-line")`, `s=("x-long")`,
		`s=(x-a)`, `s=(1)`, `s="x-a"`, `s=:YQ==:`, `s=("")`,
	} {
		if base, err := signatureBase(m, oneMember(t, input).item); err == nil {
			t.Errorf("%s gives\n%s", input, base)
		}
	}
}

func TestRefusedAuthorities(t *testing.T) {
	for _, host := range []string{"", ":443", "a b", "a.example/", "u@a.example", "a.example?", "a.exämple", "\u212a.example", "[fe80::1%25eth0]", "a%41", "a.example:x", "a\nb"} {
		if got, err := authority(host, "https"); err == nil {
			t.Errorf("%q is taken for %q", host, got)
		}
	}
}
