package rows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
)

// nextJSON reads one line that holds an object; empty lines are passed over.
func (r *Reader) nextJSON(row *Row) error {
	for {
		line, long, err := r.lines.take()
		if err != nil {
			return err
		}
		text := bytes.TrimSpace(line)
		if len(text) == 0 {
			continue
		}
		row.Line = r.lines.number
		switch {
		case long:
			row.Err = errTooLong
		case !utf8.Valid(text):
			row.Err = errEncoding
		default:
			row.Fields, row.Err = object(text)
		}
		return nil
	}
}

// object reads the members of a JSON object in their order.
func object(text []byte) ([]crawler.Field, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("the line is not a JSON object")
	}
	var fields []crawler.Field
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return fields, notJSON(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fields, notJSON(err)
		}
		switch {
		case name == "":
			return fields, errors.New("a column has no name")
		case seen[name]:
			return fields, fmt.Errorf("%q stands twice", name)
		case len(fields) == MaxColumns:
			return fields, fmt.Errorf("the row has more than %d columns", MaxColumns)
		}
		seen[name] = true
		fields = append(fields, crawler.Field{Name: name, Value: native(value)})
	}
	if _, err := d.Token(); err != nil {
		return fields, notJSON(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fields, errors.New("more stands behind the JSON object")
	}
	return fields, nil
}

func notJSON(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON object has no end")
	}
	return fmt.Errorf("the line is not JSON: %w", err)
}

// native is a value in the types of records. A number that these cannot hold
// exactly stays as it is written.
func native(v json.RawMessage) any {
	text := string(v)
	switch text[0] {
	case 'n':
		return nil
	case 't', 'f':
		return text[0] == 't'
	case '"':
		var s string
		if json.Unmarshal(v, &s) == nil {
			return s
		}
	case '{', '[':
		return json.RawMessage(bytes.Clone(v))
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && text != "-0" {
		return n
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, ".eE") {
		return f
	}
	return json.RawMessage(bytes.Clone(v))
}
