package identity

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// The bare items of structured fields (RFC 9651 section 3.3) are int64, decimal,
// string, token, []byte, bool and date; where a list is allowed, also innerList.
type (
	token   string
	date    int64 // seconds since 1970
	decimal int64 // thousandths
)

// param is a parameter, in the order it was written.
type param struct {
	key   string
	value any
}

type params []param

// get returns the value of a parameter, nil where there is none.
func (ps params) get(key string) any {
	for _, p := range ps {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

// item is a bare item or an innerList with its parameters.
type item struct {
	value  any
	params params
}

// innerList holds the items; its parameters are those of the item it is in.
type innerList []item

// member is an entry of a dictionary.
type member struct {
	key string
	item
}

type dictionary []member

func (d dictionary) get(key string) (item, bool) {
	for _, m := range d {
		if m.key == key {
			return m.item, true
		}
	}
	return item{}, false
}

// appendItem serialises an item as RFC 9651 section 4.1 says. It fails for what
// cannot be written: a string with an octet beyond printable ASCII, a number
// with too many digits.
func appendItem(b []byte, it item) ([]byte, error) {
	var err error
	if list, ok := it.value.(innerList); ok {
		b = append(b, '(')
		for i, element := range list {
			if i > 0 {
				b = append(b, ' ')
			}
			if b, err = appendItem(b, element); err != nil {
				return nil, err
			}
		}
		b = append(b, ')')
	} else if b, err = appendBare(b, it.value); err != nil {
		return nil, err
	}
	for _, p := range it.params {
		b = append(append(b, ';'), p.key...)
		if p.value == true {
			continue
		}
		if b, err = appendBare(append(b, '='), p.value); err != nil {
			return nil, err
		}
	}
	return b, nil
}

const maxInteger = 999_999_999_999_999 // RFC 9651 section 3.3.1

func appendBare(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case int64:
		if v > maxInteger || v < -maxInteger {
			return nil, fmt.Errorf("%d has more than 15 digits", v)
		}
		return strconv.AppendInt(b, v, 10), nil
	case decimal:
		return appendDecimal(b, v), nil
	case date:
		return strconv.AppendInt(append(b, '@'), int64(v), 10), nil
	case token:
		return append(b, v...), nil
	case bool:
		if v {
			return append(b, "?1"...), nil
		}
		return append(b, "?0"...), nil
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(b, ':'), v), ':'), nil
	case string:
		b = append(b, '"')
		for _, c := range []byte(v) {
			if c < 0x20 || c > 0x7e {
				return nil, fmt.Errorf("%q is not printable ASCII", v)
			}
			if c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c)
		}
		return append(b, '"'), nil
	}
	return nil, fmt.Errorf("%T is no item of a structured field", value)
}

func appendDecimal(b []byte, v decimal) []byte {
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	b = strconv.AppendInt(b, int64(v/1000), 10)
	fraction := strings.TrimRight(fmt.Sprintf("%03d", v%1000), "0")
	if fraction == "" {
		fraction = "0"
	}
	return append(append(b, '.'), fraction...)
}
