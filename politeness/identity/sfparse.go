package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What a field may hold at most. RFC 9651 asks for 1024 members and 256 items;
// nothing that speaks of signatures comes near these.
const (
	maxField   = 16 << 10 // octets
	maxMembers = 64       // of a dictionary, an inner list or a parameter list
)

var errField = errors.New("no structured field")

// parser reads a structured field as RFC 9651 section 4.2 says, within the
// bounds above.
type parser struct {
	rest string
	// twice is a key that was found more than once. The last value counts, as
	// the RFC says; who signs over parameters has to refuse it instead.
	twice string
}

// parseDictionary reads the value of a field, its lines joined with commas.
func parseDictionary(text string) (d dictionary, twice string, err error) {
	p := &parser{rest: text}
	if len(text) > maxField {
		return nil, "", fmt.Errorf("%w: more than %d octets", errField, maxField)
	}
	p.spaces()
	for p.rest != "" {
		key, err := p.key()
		if err != nil {
			return nil, "", err
		}
		it := item{value: true}
		if p.take('=') {
			it, err = p.itemOrList()
		} else {
			it.params, err = p.parameters()
		}
		if err != nil {
			return nil, "", err
		}
		if d, err = p.setMember(d, member{key, it}); err != nil {
			return nil, "", err
		}
		if err := p.comma(); err != nil {
			return nil, "", err
		}
	}
	return d, p.twice, nil
}

// parseItem reads a field that is a single item.
func parseItem(text string) (item, error) {
	if len(text) > maxField {
		return item{}, fmt.Errorf("%w: more than %d octets", errField, maxField)
	}
	p := &parser{rest: text}
	p.spaces()
	it, err := p.item()
	if err != nil {
		return item{}, err
	}
	p.spaces()
	switch {
	case p.rest != "":
		return item{}, p.bad("the end")
	case p.twice != "":
		return item{}, fmt.Errorf("%w: %q stands twice", errField, p.twice)
	}
	return it, nil
}

func (p *parser) setMember(d dictionary, m member) (dictionary, error) {
	for i := range d {
		if d[i].key == m.key {
			p.twice = m.key
			d[i] = m
			return d, nil
		}
	}
	if len(d) == maxMembers {
		return nil, fmt.Errorf("%w: more than %d members", errField, maxMembers)
	}
	return append(d, m), nil
}

// comma passes what stands between two members.
func (p *parser) comma() error {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" {
		return nil
	}
	if !p.take(',') {
		return p.bad("a comma")
	}
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" {
		return p.bad("a member after the comma")
	}
	return nil
}

func (p *parser) itemOrList() (item, error) {
	if !p.take('(') {
		return p.item()
	}
	list := innerList{}
	for {
		p.spaces()
		if p.take(')') {
			ps, err := p.parameters()
			return item{list, ps}, err
		}
		if len(list) == maxMembers {
			return item{}, fmt.Errorf("%w: more than %d items in a list", errField, maxMembers)
		}
		it, err := p.item()
		if err != nil {
			return item{}, err
		}
		if p.rest == "" || p.rest[0] != ' ' && p.rest[0] != ')' {
			return item{}, p.bad("a space or )")
		}
		list = append(list, it)
	}
}

func (p *parser) item() (item, error) {
	value, err := p.bare()
	if err != nil {
		return item{}, err
	}
	ps, err := p.parameters()
	return item{value, ps}, err
}

func (p *parser) parameters() (params, error) {
	var ps params
next:
	for p.take(';') {
		p.spaces()
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		var value any = true
		if p.take('=') {
			if value, err = p.bare(); err != nil {
				return nil, err
			}
		}
		for i := range ps {
			if ps[i].key == key {
				p.twice = key
				ps[i].value = value
				continue next
			}
		}
		if len(ps) == maxMembers {
			return nil, fmt.Errorf("%w: more than %d parameters", errField, maxMembers)
		}
		ps = append(ps, param{key, value})
	}
	return ps, nil
}

func (p *parser) key() (string, error) {
	if p.rest == "" || !lower(p.rest[0]) && p.rest[0] != '*' {
		return "", p.bad("a key")
	}
	return p.while(func(c byte) bool {
		return lower(c) || digit(c) || strings.IndexByte("_-.*", c) >= 0
	}), nil
}

func (p *parser) bare() (any, error) {
	if p.rest == "" {
		return nil, p.bad("an item")
	}
	switch c := p.rest[0]; {
	case c == '"':
		return p.quoted()
	case c == ':':
		return p.octets()
	case c == '?':
		p.rest = p.rest[1:]
		if p.take('1') {
			return true, nil
		}
		if p.take('0') {
			return false, nil
		}
		return nil, p.bad("0 or 1")
	case c == '@':
		p.rest = p.rest[1:]
		if seconds, err := p.number(); err != nil {
			return nil, err
		} else if whole, ok := seconds.(int64); ok {
			return date(whole), nil
		}
		return nil, p.bad("a date in whole seconds")
	case c == '-' || digit(c):
		return p.number()
	case c == '*' || lower(c) || c >= 'A' && c <= 'Z':
		return token(p.while(func(c byte) bool {
			return lower(c) || digit(c) || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0
		})), nil
	}
	return nil, p.bad("an item")
}

// number reads an integer of up to 15 digits, or a decimal of up to 12 digits
// before the point and up to 3 after it.
func (p *parser) number() (any, error) {
	sign := int64(1)
	if p.take('-') {
		sign = -1
	}
	whole := p.while(digit)
	if !p.take('.') {
		if whole == "" || len(whole) > 15 {
			return nil, p.bad("a number of 1 to 15 digits")
		}
		n, err := strconv.ParseInt(whole, 10, 64)
		return sign * n, err
	}
	fraction := p.while(digit)
	if whole == "" || len(whole) > 12 || fraction == "" || len(fraction) > 3 {
		return nil, p.bad("a decimal of up to 12 and 3 digits")
	}
	n, err := strconv.ParseInt(whole+(fraction + "00")[:3], 10, 64)
	return decimal(sign * n), err
}

func (p *parser) quoted() (any, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c < 0x20 || c > 0x7e:
			return nil, p.bad("printable ASCII in a string")
		case c == '\\':
			if i++; i == len(p.rest) || p.rest[i] != '"' && p.rest[i] != '\\' {
				return nil, p.bad(`\" or \\ in a string`)
			}
			c = p.rest[i]
		}
		b.WriteByte(c)
	}
	return nil, p.bad("the end of a string")
}

func (p *parser) octets() (any, error) {
	text, rest, found := strings.Cut(p.rest[1:], ":")
	if !found {
		return nil, p.bad("the end of a byte sequence")
	}
	bare := strings.TrimRight(text, "=")
	octets, err := base64.RawStdEncoding.Strict().DecodeString(bare)
	// Go's decoder passes over line breaks, which no field may hold. Padding may
	// be left out, but not be of another length.
	if err != nil || strings.ContainsAny(text, "\r\n") || bare != text && len(text)%4 != 0 {
		return nil, p.bad("base64")
	}
	p.rest = rest
	return octets, nil
}

func (p *parser) spaces() { p.rest = strings.TrimLeft(p.rest, " ") }

func (p *parser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) while(ok func(byte) bool) string {
	n := 0
	for n < len(p.rest) && ok(p.rest[n]) {
		n++
	}
	text := p.rest[:n]
	p.rest = p.rest[n:]
	return text
}

// bad says what was expected, and where.
func (p *parser) bad(wanted string) error {
	if p.rest == "" {
		return fmt.Errorf("%w: wanted %s, found the end", errField, wanted)
	}
	return fmt.Errorf("%w: wanted %s at %.20q", errField, wanted, p.rest)
}

func lower(c byte) bool { return c >= 'a' && c <= 'z' }
func digit(c byte) bool { return c >= '0' && c <= '9' }
