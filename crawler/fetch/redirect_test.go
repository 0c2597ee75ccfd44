package fetch

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

func TestRedirectTargets(t *testing.T) {
	const page = "http://books.example/a/b?q"
	for _, tt := range []struct {
		status         int
		location, want string
	}{
		{301, "/c", "http://books.example/c"},
		{302, "c?d#e", "http://books.example/a/c?d#e"},
		{303, "//other.example", "http://other.example/"},
		{307, "https://other.example/x y", "https://other.example/x%20y"},
		{308, "  /padded ", "http://books.example/padded"},
		{301, "/caf\xc3\xa9", "http://books.example/caf%C3%A9"},
		{301, "/caf\xe9", "http://books.example/caf%E9"},
		{301, page, page},
		{301, "", ""},
		{302, "mailto:me@books.example", ""},
		{302, "javascript:alert(1)", ""},
		{302, "http://", ""},
		{302, "/a\x01b", ""},
		{302, "/a\nb", ""},
		{300, "/c", ""},
		{304, "/c", ""},
		{200, "/c", ""},
		{404, "/c", ""},
	} {
		resp := &crawler.Response{Status: tt.status, Header: http.Header{"Location": {tt.location}}, MediaType: "text/plain"}
		if got := location(parse(t, page), resp).String(); got != tt.want {
			t.Errorf("%d to %q: got %q, want %q", tt.status, tt.location, got, tt.want)
		}
	}
}

// A Location that net/http would stumble over is a response like any other.
func TestRedirectsOverTheWire(t *testing.T) {
	for location, want := range map[string]string{
		"/next": "/next", "http://[bad": "", ":": "", "/%zz": "/%zz", "": "",
	} {
		head := "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\n"
		if location != "" {
			head += "Location: " + location + "\r\n"
		}
		base := hostile(t, saying(head+"\r\n"))
		if strings.HasPrefix(want, "/") {
			want = base + want
		}
		if location == ":" {
			want = base + "/:"
		}
		resp := mustGet(t, newClient(t), base, crawler.FetchOptions{})
		if resp.Status != 302 || resp.Location.String() != want {
			t.Errorf("%q: got %d %q, want %q", location, resp.Status, resp.Location, want)
		}
	}
}

func TestRefresh(t *testing.T) {
	const page = "http://books.example/a/b"
	meta := func(content string) string {
		return `<html><head><META HTTP-EQUIV="Refresh" content="` + content + `">`
	}
	for _, tt := range []struct{ header, body, want string }{
		{"0; url=/c", "", "http://books.example/c"},
		{"5,/c", "", "http://books.example/c"},
		{"", meta("0; URL='c d'"), "http://books.example/a/c%20d"},
		{"", meta("10;url = //other.example/"), "http://other.example/"},
		{"", meta("1.5 c"), "http://books.example/a/c"},
		{"", meta("0;c"), "http://books.example/a/c"},
		{"", `<base href="/deep/er/">` + meta("0;url=c"), "http://books.example/deep/er/c"},
		{"", meta("0;url=c") + `<base href="https://other.example/x/">`, "https://other.example/x/c"},
		{"", meta("11;url=c"), ""},
		{"", meta("99999999999999999999;url=c"), ""},
		{"", meta("0"), ""},
		{"", meta("0;url="), ""},
		{"", meta("soon;url=c"), ""},
		{"", meta("0;url=b#again"), ""},
		{"", meta("0;url=mailto:me@books.example"), ""},
		{"", "<!-- " + meta("0;url=c") + " -->", ""},
		{"", "<script>'" + meta("0;url=c") + "'</script>", ""},
		{"", "<noscript>" + meta("0;url=c") + "</noscript>", ""},
		{"", "<template>" + meta("0;url=c") + "</template>", ""},
		{"", strings.Repeat(" ", headBytes) + meta("0;url=c"), ""},
		{"", "<p>http-equiv refresh", ""},
	} {
		resp := &crawler.Response{Status: 200, Header: http.Header{}, MediaType: "text/html", Body: []byte(tt.body)}
		if tt.header != "" {
			resp.Header.Set("Refresh", tt.header)
		}
		if got := location(parse(t, page), resp).String(); got != tt.want {
			t.Errorf("%q %q: got %q, want %q", tt.header, tt.body, got, tt.want)
		}
		for _, other := range []crawler.Response{{Status: 404, MediaType: "text/html"}, {Status: 200, MediaType: "text/plain"}} {
			other.Header, other.Body = resp.Header, resp.Body
			if got := location(parse(t, page), &other); !got.IsZero() {
				t.Errorf("%d %s: got %q", other.Status, other.MediaType, got)
			}
		}
	}
}

func FuzzLocation(f *testing.F) {
	f.Add("0; url='/c'", "301")
	f.Add("\x00", "302")
	f.Add("3 ,url=\"", "200")
	f.Fuzz(func(t *testing.T, value, status string) {
		code, _ := strconv.Atoi(status)
		page := parse(t, "http://books.example/a")
		resp := &crawler.Response{
			Status: code, MediaType: "text/html",
			Header: http.Header{"Location": {value}, "Refresh": {value}},
			Body:   []byte("<meta http-equiv=refresh content='" + value + "'>"),
		}
		if to := location(page, resp); !to.IsZero() && !to.IsHTTP() {
			t.Fatalf("%q leads to %q", value, to)
		}
	})
}
