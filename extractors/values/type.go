package values

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Type is what a field's text becomes, the value of "as" in a config.
type Type string

// The types.
const (
	AsString   Type = "string" // text, white space folded
	AsText     Type = "text"   // text, white space folded within its lines
	AsRaw      Type = "raw"    // text as it is
	AsHTML     Type = "html"
	AsMarkdown Type = "markdown"
	AsInteger  Type = "integer"
	AsNumber   Type = "number"
	AsPrice    Type = "price"
	AsBoolean  Type = "boolean"
	AsDate     Type = "date"
	AsURL      Type = "url"
	AsJSON     Type = "json"
)

// Types are all of them, in the order of their documentation.
var Types = []Type{AsString, AsText, AsRaw, AsHTML, AsMarkdown, AsInteger, AsNumber, AsPrice, AsBoolean, AsDate, AsURL, AsJSON}

var (
	errBoolean = errors.New("not a boolean (true, yes, on, 1 or their opposites)")
	errJSON    = errors.New("not valid JSON")
)

// Setting is what the meaning of a text depends on.
type Setting struct {
	Base   urls.URL  // what references are relative to
	Locale Locale    // zero: not known
	Now    time.Time // what relative dates are counted from
}

// Convert makes a value of text as ConvertIn does where nothing but the base of
// references is known.
func (t Type) Convert(text string, base urls.URL) (any, error) {
	return t.ConvertIn(text, Setting{Base: base})
}

// ConvertIn makes a value of text, which is not empty: a string, int64, float64,
// bool, Price or json.RawMessage. A URL is made absolute against the base.
func (t Type) ConvertIn(text string, in Setting) (any, error) {
	switch t {
	case AsInteger:
		return orNil(ParseIntegerIn(in.Locale, text))
	case AsNumber:
		return orNil(ParseNumberIn(in.Locale, text))
	case AsPrice:
		return orNil(ParsePrice(in.Locale, text))
	case AsBoolean:
		return orNil(ParseBoolean(text))
	case AsDate:
		return orNil(ParseDateIn(in.Locale, text, in.Now))
	case AsURL:
		u, err := in.Base.Resolve(text)
		if err != nil {
			return nil, fmt.Errorf("not a URL: %w", err)
		}
		return u.Redacted(), nil // a password in a link is nobody's data
	case AsJSON:
		var b bytes.Buffer
		if json.Compact(&b, []byte(text)) != nil {
			return nil, errJSON
		}
		return json.RawMessage(b.Bytes()), nil
	}
	return text, nil
}

// Tidy is text as the type takes it before a conversion: most fold white space.
func (t Type) Tidy(text string) string {
	switch t {
	case AsText, AsRaw, AsHTML, AsMarkdown:
		return text
	case AsURL, AsJSON:
		return strings.TrimSpace(text)
	}
	return Fold(text)
}

func orNil[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// ParseBoolean reads true, yes, y, on, 1 and their opposites, in any case.
func ParseBoolean(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "y", "on", "1":
		return true, nil
	case "false", "no", "n", "off", "0":
		return false, nil
	}
	return false, errBoolean
}
