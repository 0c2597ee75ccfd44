package signals

import (
	"errors"
	"fmt"
	"strings"
)

// kind is the type of a member's value in a structured field, as far as usage
// signals tell them apart.
type kind uint8

const (
	kindOther kind = iota
	kindToken
)

// member is one key of a dictionary with its value as it stands, without
// parameters.
type member struct {
	key, value string
	kind       kind
}

var (
	errNoKey     = errors.New("no dictionary: a key is missing")
	errNoMember  = errors.New("no dictionary: a comma without a member after it")
	errNoComma   = errors.New("no dictionary: a comma is missing")
	errNoValue   = errors.New("no dictionary: a value is missing")
	errOpen      = errors.New("no dictionary: a value does not end")
	errBadNumber = errors.New("no dictionary: a number is malformed")
)

// parseDictionary parses a dictionary by RFC 9651 section 4.2.2, strictly: one
// fault fails it all. Other than the algorithm there it keeps every member of
// a repeated key, in order.
func parseDictionary(field string) ([]member, error) {
	p := fieldParser{rest: strings.Trim(field, " ")}
	var out []member
	for p.rest != "" {
		m, err := p.member()
		if err != nil {
			return nil, err
		}
		out = append(out, m)
		p.skip(" \t")
		if p.rest == "" {
			break
		}
		if !p.take(',') {
			return nil, errNoComma
		}
		p.skip(" \t")
		if p.rest == "" {
			return nil, errNoMember
		}
	}
	return out, nil
}

// fieldParser consumes a structured field from its start.
type fieldParser struct{ rest string }

func (p *fieldParser) skip(set string) { p.rest = strings.TrimLeft(p.rest, set) }

func (p *fieldParser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// while consumes the longest run of octets that fit.
func (p *fieldParser) while(fits func(byte) bool) string {
	i := 0
	for i < len(p.rest) && fits(p.rest[i]) {
		i++
	}
	run := p.rest[:i]
	p.rest = p.rest[i:]
	return run
}

// member parses a key with its value; a key alone is the Boolean true.
func (p *fieldParser) member() (member, error) {
	key, err := p.key()
	if err != nil {
		return member{}, err
	}
	m := member{key: key, value: "?1"}
	if p.take('=') {
		before := p.rest
		if strings.HasPrefix(p.rest, "(") {
			err = p.innerList()
		} else {
			m.kind, err = p.bareItem()
		}
		if err != nil {
			return member{}, err
		}
		m.value = before[:len(before)-len(p.rest)]
	}
	return m, p.parameters()
}

// key is section 4.2.3.3.
func (p *fieldParser) key() (string, error) {
	if p.rest == "" || !lower(p.rest[0]) && p.rest[0] != '*' {
		if p.rest == "" {
			return "", errNoKey
		}
		return "", fmt.Errorf("no dictionary: a key cannot begin with %q", p.rest[0])
	}
	return p.while(func(c byte) bool { return lower(c) || digit(c) || strings.IndexByte("_-.*", c) >= 0 }), nil
}

// parameters is section 4.2.3.2; they are checked and dropped.
func (p *fieldParser) parameters() error {
	for p.take(';') {
		p.skip(" ")
		if _, err := p.key(); err != nil {
			return err
		}
		if p.take('=') {
			if _, err := p.bareItem(); err != nil {
				return err
			}
		}
	}
	return nil
}

// innerList is section 4.2.1.2. It cannot nest.
func (p *fieldParser) innerList() error {
	p.take('(')
	for p.rest != "" {
		p.skip(" ")
		if p.take(')') {
			return nil
		}
		if _, err := p.bareItem(); err != nil {
			return err
		}
		if err := p.parameters(); err != nil {
			return err
		}
		if p.rest != "" && p.rest[0] != ' ' && p.rest[0] != ')' {
			return errOpen
		}
	}
	return errOpen
}

// bareItem is section 4.2.3.1.
func (p *fieldParser) bareItem() (kind, error) {
	if p.rest == "" {
		return kindOther, errNoValue
	}
	before := p.rest
	switch c := p.rest[0]; {
	case c == '-' || digit(c):
		return kindOther, p.number()
	case c == '"':
		return kindOther, p.quotedString(`"`)
	case c == '%':
		return kindOther, p.quotedString(`%"`)
	case c == ':':
		p.take(':')
		p.while(func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("+/=", c) >= 0 })
		if !p.take(':') {
			return kindOther, errOpen
		}
		return kindOther, nil
	case c == '?':
		p.take('?')
		if !p.take('0') && !p.take('1') {
			return kindOther, errNoValue
		}
		return kindOther, nil
	case c == '@':
		p.take('@')
		if err := p.number(); err != nil || strings.Contains(before[:len(before)-len(p.rest)], ".") {
			return kindOther, errBadNumber // section 4.2.9: an Integer
		}
		return kindOther, nil
	case c == '*' || letter(c):
		p.while(func(c byte) bool {
			return letter(c) || digit(c) || strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0
		})
		return kindToken, nil
	default:
		return kindOther, fmt.Errorf("no dictionary: a value cannot begin with %q", c)
	}
}

// number is section 4.2.4: at most fifteen digits, or twelve with up to three
// behind a point.
func (p *fieldParser) number() error {
	p.take('-')
	whole := p.while(digit)
	if whole == "" || len(whole) > 15 {
		return errBadNumber
	}
	if !p.take('.') {
		return nil
	}
	if part := p.while(digit); part == "" || len(part) > 3 || len(whole) > 12 {
		return errBadNumber
	}
	return nil
}

// quotedString is section 4.2.5, and 4.2.10 for Display Strings, whose escapes
// need no decoding here: both end at a quotation mark that is not escaped.
func (p *fieldParser) quotedString(opening string) error {
	if !strings.HasPrefix(p.rest, opening) {
		return errNoValue
	}
	p.rest = p.rest[len(opening):]
	escapes := opening == `"`
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return nil
		case c == '\\' && escapes:
			if i++; i == len(p.rest) || p.rest[i] != '"' && p.rest[i] != '\\' {
				return errOpen
			}
		case c < ' ' || c >= 0x7f:
			return errOpen
		}
	}
	return errOpen
}

func lower(c byte) bool  { return 'a' <= c && c <= 'z' }
func letter(c byte) bool { return lower(c | 0x20) }
func digit(c byte) bool  { return '0' <= c && c <= '9' }
