package crawler

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler/urls"
)

// The bounds of what a request holds beyond its URL. It stands in the frontier
// until its outcome, so that what is more than this is refused where it is found.
const (
	MaxCallBody   = 64 << 10
	MaxCallHeader = 8 << 10   // names and values
	MaxCarried    = 16 << 10  // of the values that a page gives along, by SizeOfFields
	MaxRow        = 256 << 10 // of those of a row of a dataset, by SizeOfValues
)

// Call is what is sent where that is more than a GET of the URL. Requests share
// it: it is not changed once it belongs to one.
type Call struct {
	Method string      // in upper case; empty is GET
	Header http.Header // beside the client's own fields; such as Content-Type
	Body   string
	// Repeat says that sending it twice does no harm although its method is not
	// safe, as with a form that searches, or a request with an idempotency key.
	Repeat bool
}

// Plain reports whether the call is a GET of the URL and nothing else.
func (c *Call) Plain() bool {
	return c == nil || c.method() == http.MethodGet && c.Body == "" && len(c.Header) == 0
}

func (c *Call) method() string {
	if c == nil || c.Method == "" {
		return http.MethodGet
	}
	return c.Method
}

// Repeatable reports whether a request may be sent again when nobody knows
// whether it reached the server: the method is safe (RFC 9110 section 9.2.1), or
// the call says so.
func (c *Call) Repeatable() bool {
	switch c.method() {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return c.Repeat
}

// Digest tells calls of one URL apart: by method and body, not by header. It is
// zero for a GET without a body.
func (c *Call) Digest() uint64 {
	if c == nil || c.method() == http.MethodGet && c.Body == "" {
		return 0
	}
	return max(1, xxh3.HashString(c.method()+"\x00"+c.Body))
}

// Check refuses what is beyond the bounds, or cannot be sent.
func (c *Call) Check() error {
	if c == nil {
		return nil
	}
	if c.Method != strings.ToUpper(c.Method) || !isToken(c.method()) || c.Method == http.MethodConnect {
		return fmt.Errorf("%q is not a method that can be sent", c.Method)
	}
	if len(c.Body) > MaxCallBody {
		return fmt.Errorf("a body of %d bytes is more than the %d KiB that a request may have", len(c.Body), MaxCallBody>>10)
	}
	size := 0
	for name, values := range c.Header {
		if !isToken(name) {
			return fmt.Errorf("%q is not the name of a header field", name)
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				return fmt.Errorf("the header field %s has a line break", name)
			}
			size += len(name) + len(v) + 4
		}
	}
	if size > MaxCallHeader {
		return fmt.Errorf("header fields of %d bytes are more than the %d KiB that a request may have", size, MaxCallHeader>>10)
	}
	return nil
}

// isToken reports whether s is a token as of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') && !strings.ContainsRune("!#$%&'*+.^_`|~", r)
	}) < 0
}

// KeyOf is the dedup key of the request that a call with this digest is to the
// page with this key.
func KeyOf(page urls.Key, digest uint64) urls.Key {
	if digest == 0 {
		return page
	}
	b := make([]byte, 0, len(page)+8)
	b = append(b, page[:]...)
	for i := range 8 {
		b = append(b, byte(digest>>(8*i)))
	}
	return urls.Key(xxh3.Hash128(b).Bytes())
}

// after is the call to make where an answer with this status leads elsewhere, as
// browsers do it (the Fetch standard, "HTTP-redirect fetch"): 303 makes it a GET,
// 301 and 302 do so after a POST, 307 and 308 keep it. What goes to another
// origin keeps only the fields that say what the body is and what is wanted: the
// others may hold what is secret.
func (c *Call) after(status int, sameOrigin bool) *Call {
	if c == nil {
		return nil
	}
	next := Call{Method: c.Method, Header: c.Header, Body: c.Body, Repeat: c.Repeat}
	method := c.method()
	switch {
	case status/100 == 2, // a page that refreshes itself
		status == http.StatusSeeOther && method != http.MethodGet && method != http.MethodHead,
		(status == http.StatusMovedPermanently || status == http.StatusFound) && method == http.MethodPost:
		next.Method, next.Body, next.Repeat = "", "", false
		next.Header = maps.Clone(next.Header)
		maps.DeleteFunc(next.Header, func(name string, _ []string) bool { return strings.HasPrefix(name, "Content-") })
	}
	if !sameOrigin {
		next.Header = maps.Clone(next.Header)
		maps.DeleteFunc(next.Header, func(name string, _ []string) bool {
			return !strings.HasPrefix(name, "Content-") && !slices.Contains([]string{"Accept", "Accept-Language"}, name)
		})
	}
	if next.Plain() {
		return nil
	}
	return &next
}

// After is the call to make where an answer with this status leads elsewhere.
func (c *Call) After(status int, sameOrigin bool) *Call { return c.after(status, sameOrigin) }

// SizeOfFields estimates the memory of values with their names, which MaxCarried bounds.
func SizeOfFields(fields []Field) int { return int(fieldsSize(fields)) }

// SizeOfValues is what values take without their names, which every row of a dataset
// has alike: as many bytes as a text has, and 8 for a number.
func SizeOfValues(fields []Field) int {
	var n int64
	for _, f := range fields {
		n += valueSize(f.Value)
	}
	return int(n)
}

// errCarried means that values are more than MaxCarried, or MaxRow.
var errCarried = errors.New("the values that are carried along are more than they may be")

// checkLink refuses a link whose request could not be kept.
func checkLink(l *Link) error {
	size, most := SizeOfFields(l.Carry), MaxCarried
	switch {
	case isBatch(&Request{Row: l.Row, Carry: l.Carry}):
		most = 4 * MaxBatch // it was bounded when it was made
	case l.Row != 0:
		size, most = SizeOfValues(l.Carry), MaxRow
	}
	if size > most {
		return errCarried
	}
	return l.Call.Check()
}
