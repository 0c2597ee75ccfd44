package fetch

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

func TestSend(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprintf(w, "%s %s %q %d %q %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.ContentLength, body, r.Header.Get("X-Own"))
	})
	c := newClient(t)
	for _, tt := range []struct {
		path string
		opt  crawler.FetchOptions
		want string
	}{
		{"/", crawler.FetchOptions{}, `GET / "" 0 "" `},
		{"/", crawler.FetchOptions{Method: "POST", Body: "q=1"}, `POST / "application/x-www-form-urlencoded" 3 "q=1" `},
		{"/a%zz", crawler.FetchOptions{Method: "PUT", Body: "{}", Header: http.Header{"Content-Type": {"application/json"}, "X-Own": {"v"}}}, `Bad Request`},
		{"/b", crawler.FetchOptions{Method: "PATCH", Body: "{}", Header: http.Header{"content-type": {"application/json"}, "X-Own": {"v"}, "Content-Length": {"99"}}}, `PATCH /b "application/json" 2 "{}" v`},
		{"/c", crawler.FetchOptions{Method: "DELETE"}, `DELETE /c "" 0 "" `},
		{"/big", crawler.FetchOptions{Method: "POST", Body: strings.Repeat("x", crawler.MaxCallBody)}, fmt.Sprintf("POST /big %q 65536", "application/x-www-form-urlencoded")},
		{"/head", crawler.FetchOptions{Method: "HEAD"}, ""},
	} {
		resp := mustGet(t, c, base+tt.path, tt.opt)
		if got := string(resp.Body); !strings.Contains(got, tt.want) {
			t.Errorf("%s %s: the server saw %.200s, want %s", tt.opt.Method, tt.path, got, tt.want)
		}
	}
	resp := mustGet(t, c, base+"/away", crawler.FetchOptions{Method: "POST", Body: "q=1"})
	if resp.Status != 307 || resp.Location.Path() != "/" {
		t.Errorf("a redirect was followed: %d to %s", resp.Status, resp.Location)
	}
}
