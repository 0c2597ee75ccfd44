package dashboard

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// policy lets a page load nothing but our own style and script, and talk to nobody
// else (Content Security Policy Level 3).
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded lets through to h who may be there.
func (s *Server) guarded(h http.Handler) http.Handler {
	own := http.NewCrossOriginProtection() // by Sec-Fetch-Site, or Origin and Host
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusForbidden, "a page of another site asked for this")
	}))
	h = own.Handler(s.admitted(h))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		probe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz" // they tell nothing, and are asked by any name
		if !probe && !s.known(r.Host) {
			s.fail(w, r, http.StatusMisdirectedRequest, "the dashboard does not go by the name "+strconv.Quote(clip(r.Host, 100))+": give it with --host")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// known tells whether a Host header is one that no rebinding of names can bring
// about: an address, localhost, or a name that was given.
func (s *Server) known(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || slices.Contains(s.opt.Hosts, host) {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// open are the addresses that need no token.
func open(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/login" || strings.HasPrefix(path, "/assets/")
}

// admitted asks for the token.
func (s *Server) admitted(h http.Handler) http.Handler {
	if s.opt.Token == "" {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case open(r.URL.Path) || s.holds(r):
			h.ServeHTTP(w, r)
		case r.Method == http.MethodGet && wantsPage(r) && !strings.HasPrefix(r.URL.Path, "/api/"):
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="amble"`)
			s.fail(w, r, http.StatusUnauthorized, "the token is missing or wrong: send it as Authorization: Bearer TOKEN")
		}
	})
}

// holds tells whether a request has the token, or a cookie that was given for it.
func (s *Server) holds(r *http.Request) bool {
	if kind, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(kind, "Bearer") {
		return same(token, s.opt.Token)
	}
	c, err := r.Cookie(cookieName)
	return err == nil && s.signed(c.Value)
}

// same compares in a time that tells nothing about either.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

const (
	cookieName = "amble_session"
	cookieFor  = 7 * 24 * time.Hour
)

// session is a cookie's value: until when it holds, sealed with the token.
func (s *Server) session(until time.Time) string {
	end := strconv.FormatInt(until.Unix(), 10)
	return end + "." + s.seal(end)
}

func (s *Server) seal(end string) string {
	mac := hmac.New(sha256.New, []byte(s.opt.Token))
	mac.Write([]byte("amble dashboard session " + end))
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Server) signed(value string) bool {
	end, seal, ok := strings.Cut(value, ".")
	unix, err := strconv.ParseInt(end, 10, 64)
	return ok && err == nil && hmac.Equal([]byte(seal), []byte(s.seal(end))) && s.opt.Now().Before(time.Unix(unix, 0))
}

// login gives a cookie for the token.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.PostFormValue("next"))
	if s.opt.Token == "" {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	if !s.logins.AllowN(s.opt.Now(), 1) {
		w.Header().Set("Retry-After", "5")
		s.showLogin(w, http.StatusTooManyRequests, next, "Too many tries. Wait a little.")
		return
	}
	if !same(r.PostFormValue("token"), s.opt.Token) {
		s.opt.Log.Warn("a wrong token was given to the dashboard", "from", r.RemoteAddr)
		s.showLogin(w, http.StatusUnauthorized, next, "That is not the token.")
		return
	}
	http.SetCookie(w, s.cookie(r, s.session(s.opt.Now().Add(cookieFor)), int(cookieFor/time.Second)))
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, s.cookie(r, "", -1))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *Server) cookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
}

// localPath is where to go on after a login: a path of ours, whatever was asked for.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
