package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// members is a site for those who are logged in: by a form with a hidden field and
// cookies, or by a token. A session serves so many pages.
type members struct {
	mu       sync.Mutex
	serves   int // pages of one session
	broken   bool
	busy     int // answers of 503 to logins
	sessions map[string]int
	asked    []string
	logins   int
}

const memberPassword = "hunter2&hunter=2"

func (s *members) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	html := func(text string, args ...any) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, text, args...)
	}
	session := func() string {
		s.logins++
		id := fmt.Sprintf("s3ssion-number-%d", s.logins)
		s.sessions[id] = s.serves
		return id
	}
	switch path := r.URL.Path; {
	case path == "/robots.txt":
		_, _ = fmt.Fprint(w, "User-agent: *\nDisallow: /forbidden\n")
	case path == "/login" && r.Method == http.MethodGet:
		http.SetCookie(w, &http.Cookie{Name: "visit", Value: "v1sit-cookie"})
		html(`<form id="login" action="/session" method="post"><input type="hidden" name="csrf" value="csrf-of-the-form"><input name="user"><input name="password" type="password"></form>`)
	case path == "/session" || path == "/token":
		if s.busy > 0 {
			s.busy--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = r.ParseForm()
		visit, _ := r.Cookie("visit")
		good := r.PostForm.Get("user") == "me" && r.PostForm.Get("password") == memberPassword
		if path == "/session" && (r.PostForm.Get("csrf") != "csrf-of-the-form" || visit == nil) {
			good = false
		}
		switch {
		case !good && path == "/token":
			w.WriteHeader(http.StatusForbidden)
		case !good:
			html(`wrong <form id="login"></form>`)
		case path == "/token":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"auth": {"token": %q}}`, session())
		default:
			http.SetCookie(w, &http.Cookie{Name: "session", Value: session()})
			http.Redirect(w, r, "/home", http.StatusFound)
		}
	case path == "/home":
		html(`<p class="hello">hello</p>`)
	case path == "/mine":
		w.WriteHeader(http.StatusUnauthorized) // whoever asks
	default:
		id := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if c, err := r.Cookie("session"); err == nil {
			id = c.Value
		}
		if s.broken || s.sessions[id] <= 0 {
			switch {
			case strings.HasPrefix(path, "/api"):
				w.WriteHeader(http.StatusUnauthorized)
			default:
				http.Redirect(w, r, "/login?next="+path, http.StatusFound)
			}
			return
		}
		s.sessions[id]--
		html(`<h1>%s</h1><a href="/p/1">1</a><a href="/p/2">2</a><a href="/p/3">3</a><a href="/p/4">4</a><a href="/p/5">5</a><a href="/p/6">6</a><a href="/mine">m</a>`, path)
	}
}

const membersConfig = `
name: members
seeds: ["SEED"]
politeness: {contact: https://me.example, delay: 0s, concurrency: 2}
fetch: {allow_private: true, cookies: COOKIES, retries: 5}
commit: {interval: 10ms}
extract: {page: {fields: {title: {css: h1, required: true}}}}
`

const formLogin = `
login:
  steps:
    - SITE/login
    - {form: {css: "form#login", fields: {user: me, password: "${PASSWORD}"}}}
  expect: {shows: .hello}
`

const tokenLogin = `
login:
  steps: {url: SITE/token, method: POST, body: "user=me&password=hunter2%26hunter%3D2"}
  take: {token: {jsonpath: $.auth.token}}
  send: {Authorization: "Bearer {{token}}"}
  again: {status: 401, leads: "/login*"}
`

func TestLogin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		login, cookies, seed string
		site                 *members
		password             string
		exit                 int
		records, logins      int
		says                 string
	}{
		"form":              {login: formLogin, cookies: "host", seed: "/p/0", site: &members{serves: 1000}, records: 7, logins: 1},
		"form, again":       {login: formLogin, cookies: "crawl", seed: "/p/0", site: &members{serves: 3}, records: 7, logins: 3},
		"form, short":       {login: formLogin, cookies: "host", seed: "/p/0", site: &members{serves: 2}, records: 7, logins: 5},
		"token, again":      {login: tokenLogin, cookies: "off", seed: "/api/0", site: &members{serves: 4}, records: 7, logins: 3},
		"refused":           {login: formLogin, cookies: "host", seed: "/p/0", site: &members{serves: 9}, password: "wr0ng-password", exit: 3, says: "login.expect"},
		"of no use":         {login: formLogin, cookies: "host", seed: "/p/0", site: &members{serves: 9, broken: true}, exit: 3, logins: 3, says: "after 3 logins in a row"},
		"form not there":    {login: strings.Replace(formLogin, "form#login", "form#other", 1), cookies: "host", seed: "/p/0", exit: 3, says: "step 2: the login failed: what it looks for is not on the page"},
		"token not there":   {login: strings.Replace(tokenLogin, "$.auth.token", "$.nothing", 1), cookies: "off", seed: "/p/0", exit: 3, logins: 1, says: "its answers hold no token"},
		"robots.txt forbid": {login: strings.Replace(formLogin, "/login", "/forbidden", 1), cookies: "host", seed: "/p/0", exit: 3, says: "/forbidden is not requested: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := c.site
			if site == nil {
				site = &members{}
			}
			site.sessions = map[string]int{}
			server := httptest.NewServer(site)
			defer server.Close()
			dir := t.TempDir()
			text := strings.NewReplacer("SITE", server.URL, "SEED", server.URL+c.seed, "COOKIES", c.cookies).Replace(membersConfig + c.login)
			if err := os.WriteFile(filepath.Join(dir, "c.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			password := c.password
			if password == "" {
				password = memberPassword
			}
			cmd := exec.CommandContext(t.Context(), "amble", "run", "c.yaml", "--json", "-v", "-v")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "PASSWORD="+password)
			out, err := cmd.CombinedOutput()
			if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			records, _ := os.ReadFile(filepath.Join(dir, "out", "page.jsonl"))
			if got := bytes.Count(records, []byte("\n")); cmd.ProcessState.ExitCode() != c.exit || got != c.records || site.logins < c.logins || site.logins > c.logins+2 || !strings.Contains(string(out), c.says) {
				t.Errorf("exit %d, %d records, %d logins\n%s\nasked %q", cmd.ProcessState.ExitCode(), got, site.logins, out, site.asked)
			}
			state := everythingIn(t, filepath.Join(dir, ".amble", "members"))
			if err := os.Remove(filepath.Join(dir, ".amble", "members", "cookies.json")); err == nil {
				if c.exit == 0 {
					t.Error("the cookies of a finished run are still on the disk")
				}
				state = everythingIn(t, filepath.Join(dir, ".amble", "members"))
			}
			for place, data := range map[string][]byte{"the output": out, "the state": state, "the records": records} {
				for _, secret := range []string{"hunter", "wr0ng-password", "s3ssion-number", "csrf-of-the-form", "v1sit-cookie"} {
					if bytes.Contains(data, []byte(secret)) {
						t.Errorf("%s shows %s", place, secret)
					}
				}
			}
			audit := exec.CommandContext(t.Context(), "amble", "audit", filepath.Join(dir, ".amble", "members"))
			if out, err := audit.CombinedOutput(); err != nil || c.exit == 0 && !bytes.Contains(out, []byte(" 0 violations")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
