package jsonld

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// maxDepth is how deep a block may be nested.
const maxDepth = 128

var (
	errDepth = fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	errEmpty = errors.New("it is empty")
)

// object is a JSON object in its order.
type object []member

type member struct {
	name  string
	value any // object, []any, string, json.Number, bool or nil
}

func (o object) get(name string) (any, bool) {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return nil, false
}

// decode reads the values of a block, one after the other, mending it where it
// must. With an error it returns the values before it.
func decode(text string, budget *item.Budget) ([]any, error) {
	forms := mended(text)
	var found []any
	var failure error
	for form := range forms {
		all, err := documents(form, budget)
		if err == nil {
			return all, nil
		}
		if failure == nil || len(all) > len(found) {
			found, failure = all, err
		}
		if errors.Is(err, errDepth) || errors.Is(err, errEmpty) || errors.Is(err, item.ErrTooMuchWork) {
			break
		}
	}
	return found, failure
}

func documents(text string, budget *item.Budget) ([]any, error) {
	d := &decoder{Decoder: json.NewDecoder(strings.NewReader(text)), budget: budget}
	d.UseNumber()
	var all []any
	for {
		v, err := d.value(0)
		switch {
		case err == io.EOF && len(all) == 0:
			return nil, errEmpty
		case err == io.EOF:
			return all, nil
		case err != nil:
			return all, err
		}
		all = append(all, v)
	}
}

type decoder struct {
	*json.Decoder
	budget *item.Budget
}

// value reads the next value. io.EOF means that there is none.
func (d *decoder) value(depth int) (any, error) {
	if err := d.budget.Step(1); err != nil {
		return nil, err
	}
	token, err := d.Token()
	if err != nil {
		if depth > 0 && err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == maxDepth {
		return nil, errDepth
	}
	if open == '{' {
		return d.object(depth)
	}
	list := []any{}
	for d.More() {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, d.end()
}

func (d *decoder) object(depth int) (any, error) {
	var o object
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, whole(err)
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		text, _ := name.(string)
		o = append(o, member{text, v})
	}
	return o, d.end()
}

func (d *decoder) end() error {
	_, err := d.Token()
	return whole(err)
}

// whole tells a text that ends early from one that has ended.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
