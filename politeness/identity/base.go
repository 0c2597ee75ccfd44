package identity

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// errComponent means that a message does not have a component, or that the
// component is none that this package knows.
var errComponent = errors.New("component")

// maxBase bounds a signature base, octets.
const maxBase = 256 << 10

// message is what the components of a signature are taken from: a request, or
// a response with the request that it answers.
type message struct {
	method string
	// scheme and authority are lower case; the authority goes without the
	// scheme's own port.
	scheme, authority string
	// target is path and query as sent; query has its question mark, also where
	// there is none in the target.
	target, path, query string

	header  http.Header
	status  int      // of a response
	request *message // that the response answers
}

// requestMessage reads a request, one to be sent or one that was received. The
// scheme overrides the request's own where it is not empty.
func requestMessage(req *http.Request, scheme string) (*message, error) {
	if scheme == "" {
		scheme = schemeOf(req)
	}
	m := &message{method: req.Method, scheme: strings.ToLower(scheme), header: req.Header}
	if m.method == "" {
		m.method = http.MethodGet // as net/http reads it
	}
	host := req.Host
	if host == "" && req.URL != nil {
		host = req.URL.Host
	}
	var err error
	if m.authority, err = authority(host, m.scheme); err != nil {
		return nil, err
	}
	target := req.RequestURI // as received
	if target == "" && req.URL != nil {
		target = req.URL.RequestURI() // as net/http will write it
	}
	m.setTarget(target)
	return m, nil
}

func schemeOf(req *http.Request) string {
	switch {
	case req.URL != nil && req.URL.Scheme != "":
		return req.URL.Scheme
	case req.TLS != nil:
		return "https"
	}
	return "http"
}

// authority normalises host and port (RFC 9421 section 2.2.3).
func authority(host, scheme string) (string, error) {
	// Only what a URL may hold as host and port, so that two readers cannot
	// understand it in two ways.
	u, err := url.Parse("//" + host)
	if err != nil || u.Host != host || u.Hostname() == "" || strings.Contains(host, "%") || !printable(host) {
		return "", fmt.Errorf("%w @authority: %q is no host", errComponent, host)
	}
	host = strings.ToLower(host)
	name := strings.TrimSuffix(host, ":"+u.Port())
	switch port := u.Port(); {
	case port == "", scheme == "http" && port == "80", scheme == "https" && port == "443":
		return name, nil
	default:
		return name + ":" + port, nil
	}
}

// setTarget reads a request target in origin form or absolute form (RFC 9421
// sections 2.2.6 and 2.2.7).
func (m *message) setTarget(target string) {
	if _, rest, found := strings.Cut(target, "://"); found && target[0] != '/' {
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		target = rest[end:]
	}
	if target == "" || target[0] == '?' {
		target = "/" + target
	}
	m.target = target
	m.path, m.query, _ = strings.Cut(target, "?")
	m.query = "?" + m.query
}

// signatureBase builds what is signed (RFC 9421 section 2.5). signature is the
// member of Signature-Input: the covered components with the parameters.
func signatureBase(m *message, signature item) ([]byte, error) {
	covered, ok := signature.value.(innerList)
	if !ok {
		return nil, fmt.Errorf("%w: Signature-Input has no list of components", errComponent)
	}
	var base []byte
	var seen []string
	for _, c := range covered {
		name, ok := c.value.(string)
		if !ok {
			return nil, fmt.Errorf("%w: %v is no string", errComponent, c.value)
		}
		identifier, err := appendItem(nil, c)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errComponent, err)
		}
		if slices.Contains(seen, string(identifier)) {
			return nil, fmt.Errorf("%w %s stands twice", errComponent, identifier)
		}
		seen = append(seen, string(identifier))
		value, err := m.component(name, c.params)
		if err != nil {
			return nil, err
		}
		if !printable(value) {
			return nil, fmt.Errorf("%w %s: the value is not printable ASCII", errComponent, identifier)
		}
		base = append(append(append(base, identifier...), ": "...), value...)
		if base = append(base, '\n'); len(base) > maxBase {
			return nil, fmt.Errorf("%w: more than %d octets are covered", errComponent, maxBase)
		}
	}
	line, err := appendItem(append(base, `"@signature-params": `...), signature)
	if err != nil {
		return nil, fmt.Errorf("%w @signature-params: %w", errComponent, err)
	}
	return line, nil
}

// component is the value of a component (RFC 9421 sections 2.1 and 2.2).
func (m *message) component(name string, ps params) (string, error) {
	for _, p := range ps {
		_, text := p.value.(string)
		switch {
		case p.key == "key" && text, (p.key == "bs" || p.key == "req") && p.value == true:
		default:
			return "", fmt.Errorf("%w %q: the parameter %q is not supported", errComponent, name, p.key)
		}
	}
	if ps.get("req") != nil {
		if m.request == nil {
			return "", fmt.Errorf("%w %q: req is for responses", errComponent, name)
		}
		m = m.request
	}
	if strings.HasPrefix(name, "@") {
		if ps.get("key") != nil || ps.get("bs") != nil {
			return "", fmt.Errorf("%w %q takes neither key nor bs", errComponent, name)
		}
		return m.derived(name)
	}
	return m.field(name, ps)
}

func (m *message) derived(name string) (string, error) {
	if name == "@status" && m.status != 0 {
		return strconv.Itoa(m.status), nil
	}
	if m.status == 0 {
		switch name {
		case "@method":
			return m.method, nil
		case "@authority":
			return m.authority, nil
		case "@scheme":
			return m.scheme, nil
		case "@path":
			return m.path, nil
		case "@query":
			return m.query, nil
		case "@target-uri":
			return m.scheme + "://" + m.authority + m.target, nil
		}
	}
	return "", fmt.Errorf("%w %q is not supported here", errComponent, name)
}

func (m *message) field(name string, ps params) (string, error) {
	if name == "" || name != strings.ToLower(name) {
		return "", fmt.Errorf("%w %q: a field is named in lower case", errComponent, name)
	}
	lines := m.header[http.CanonicalHeaderKey(name)]
	if len(lines) == 0 {
		return "", fmt.Errorf("%w %q: the message has no such field", errComponent, name)
	}
	key, member := ps.get("key").(string)
	switch {
	case member && ps.get("bs") != nil:
		return "", fmt.Errorf("%w %q: key and bs exclude each other", errComponent, name)
	case member:
		return dictionaryMember(name, lines, key)
	case ps.get("bs") != nil:
		return byteSequences(lines)
	}
	return combined(lines), nil
}

// dictionaryMember is RFC 9421 section 2.1.2.
func dictionaryMember(name string, lines []string, key string) (string, error) {
	d, _, err := parseDictionary(combined(lines))
	if err != nil {
		return "", fmt.Errorf("%w %q: %w", errComponent, name, err)
	}
	it, ok := d.get(key)
	if !ok {
		return "", fmt.Errorf("%w %q has no member %q", errComponent, name, key)
	}
	value, err := appendItem(nil, it)
	return string(value), err
}

// byteSequences is RFC 9421 section 2.1.3.
func byteSequences(lines []string) (string, error) {
	var b []byte
	for i, line := range lines {
		if i > 0 {
			b = append(b, ", "...)
		}
		var err error
		if b, err = appendItem(b, item{value: []byte(unfold(line))}); err != nil {
			return "", err
		}
	}
	return string(b), nil
}

// combined joins the lines of a field (RFC 9421 section 2.1).
func combined(lines []string) string {
	values := make([]string, len(lines))
	for i, line := range lines {
		values[i] = unfold(line)
	}
	return strings.Join(values, ", ")
}

// unfold removes the space around a value, and the line breaks within it that
// HTTP once allowed.
func unfold(line string) string {
	if strings.ContainsAny(line, "\r\n") {
		parts := strings.Split(strings.ReplaceAll(line, "\r\n", "\n"), "\n")
		for i, part := range parts {
			parts[i] = strings.Trim(part, " \t")
			if i > 0 && (part == "" || part[0] != ' ' && part[0] != '\t') {
				return line // no folding: another line, which printable refuses
			}
		}
		line = strings.Join(parts, " ")
	}
	return strings.Trim(line, " \t")
}

// printable reports whether a value can stand in a signature base: ASCII on one
// line. Tabs may stand within a field.
func printable(s string) bool {
	for _, c := range []byte(s) {
		if (c < 0x20 && c != '\t') || c > 0x7e {
			return false
		}
	}
	return true
}
