package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// MaxDepth is how deep a document may be nested.
const MaxDepth = 512

var (
	errDepth  = fmt.Errorf("the JSON is nested deeper than %d levels", MaxDepth)
	errNoList = errors.New("there is no array or object at that place")
)

// Documents reads one JSON value after the other, as lines or simply in a row:
// nil, bool, json.Number, string, []any and map[string]any. It ends with the
// first error.
func Documents(data []byte) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		d := decoder(data)
		for {
			v, err := decode(d)
			if err == io.EOF || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func decoder(data []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d
}

func decode(d *json.Decoder) (v any, err error) {
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if deeper(v, MaxDepth) {
		return nil, errDepth
	}
	return v, nil
}

// deeper tells whether v is nested deeper than n levels. The decoder itself stops
// at 10,000, so this cannot run out of stack.
func deeper(v any, n int) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if n == 0 || deeper(e, n-1) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if n == 0 || deeper(e, n-1) {
				return true
			}
		}
	}
	return false
}

// Elements calls yield with each element of the array, or each value of the
// object, at names in the first JSON value of data, holding one at a time. It
// stops when yield returns false. What stands behind the list is not read.
func Elements(data []byte, names []string, yield func(any) bool) error {
	d := decoder(data)
	for _, name := range names {
		found, err := enter(d, name)
		if err != nil || !found {
			return whole(err)
		}
	}
	open, err := d.Token()
	if err != nil {
		return whole(err)
	}
	if open != json.Delim('[') && open != json.Delim('{') {
		return errNoList
	}
	for d.More() {
		if open == json.Delim('{') {
			if _, err := d.Token(); err != nil {
				return whole(err)
			}
		}
		v, err := decode(d)
		if err != nil {
			return whole(err)
		}
		if !yield(v) {
			return nil
		}
	}
	_, err = d.Token()
	return whole(err)
}

// enter leads the decoder to the value of a member of the object it is before.
func enter(d *json.Decoder, name string) (found bool, err error) {
	open, err := d.Token()
	if err != nil {
		return false, err
	}
	if open != json.Delim('{') {
		return false, nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return false, err
		}
		if key == name {
			return true, nil
		}
		if err := skip(d); err != nil {
			return false, err
		}
	}
	return false, nil
}

// skip passes over a value, of which it holds one text at a time.
func skip(d *json.Decoder) error {
	for open := 0; ; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
		if open == 0 {
			return nil
		}
	}
}

// whole tells a text that ends early from one that has ended.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
