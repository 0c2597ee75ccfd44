package query

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// An answer is JSON Lines: a Head, a line for each row (a JSON array of its values,
// or a JSON string where the rows are calls of another query), and a Tail, which
// tells a whole answer from one that broke off.

// MediaType is that of an answer.
const MediaType = "application/x-amble-rows"

// The most that one answer holds: what the extraction of one page takes.
const (
	MaxRows  = 50_000
	MaxCalls = 20_000
)

// Head is the first line of an answer.
type Head struct {
	Columns []string `json:"columns"`
	Calls   bool     `json:"calls,omitempty"` // rows are URLs
}

// Tail is the last line of an answer.
type Tail struct {
	Rows int    `json:"rows"`
	Next string `json:"next,omitempty"` // the URL of the next page
}

// Elements counts what an answer takes of memory beyond its bytes: values and rows.
func Elements(answer []byte) int {
	return bytes.Count(answer, []byte(",")) + bytes.Count(answer, []byte("\n"))
}

// Rows reads an answer: records, the calls that rows make, and the next page.
type Rows struct{}

var (
	_ crawler.Extractor  = Rows{}
	_ crawler.TreeReader = Rows{}
)

// NeedsTree is false.
func (Rows) NeedsTree() bool { return false }

// errAnswer means that the answer is not as package query writes it.
var errAnswer = errors.New("not the answer of a query")

// Extract implements crawler.Extractor.
func (Rows) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	head, rest, err := begin(p.Response.Body)
	if err != nil {
		return err
	}
	use := func(line []byte) error {
		if head.Calls {
			return follow(line, e)
		}
		fields, err := fieldsOf(head.Columns, line)
		if err == nil {
			e.Record(fields...)
		}
		return err
	}
	next, err := lines(ctx, rest, use)
	if err != nil || next == "" {
		return err
	}
	return link(next, e)
}

// Each gives the rows of an answer, and the URL of the page behind it, "" for none.
func Each(ctx context.Context, answer []byte, use func(fields []crawler.Field) error) (next string, err error) {
	head, rest, err := begin(answer)
	if err != nil {
		return "", err
	}
	return lines(ctx, rest, func(line []byte) error {
		fields, err := fieldsOf(head.Columns, line)
		if err == nil {
			err = use(fields)
		}
		return err
	})
}

func begin(answer []byte) (head Head, rest []byte, err error) {
	line, rest, _ := bytes.Cut(answer, []byte("\n"))
	if err := json.Unmarshal(line, &head); err != nil {
		return head, nil, fmt.Errorf("%w: %w", errAnswer, err)
	}
	return head, rest, nil
}

// lines gives the lines of rows, and the URL that the tail has.
func lines(ctx context.Context, rest []byte, use func(line []byte) error) (next string, err error) {
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return "", ctx.Err()
		}
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		switch {
		case len(line) == 0:
			return "", fmt.Errorf("%w: it has no end", errAnswer)
		case line[0] == '{':
			var tail Tail
			if err := json.Unmarshal(line, &tail); err != nil {
				return "", fmt.Errorf("%w: %w", errAnswer, err)
			}
			return tail.Next, nil
		}
		if err := use(line); err != nil {
			return "", err
		}
	}
}

func follow(line []byte, e *crawler.Emitter) error {
	var href string
	if err := json.Unmarshal(line, &href); err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	return link(href, e)
}

func link(href string, e *crawler.Emitter) error {
	u, err := urls.Parse(href)
	if err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	e.Link(crawler.Link{URL: u})
	return nil
}

func fieldsOf(columns []string, line []byte) ([]crawler.Field, error) {
	var values []json.RawMessage
	if err := json.Unmarshal(line, &values); err != nil || len(values) != len(columns) {
		return nil, errAnswer
	}
	fields := make([]crawler.Field, len(columns))
	for i, raw := range values {
		v, err := fieldValue(raw)
		if err != nil {
			return nil, err
		}
		fields[i] = crawler.Field{Name: columns[i], Value: v}
	}
	return fields, nil
}

// fieldValue is a JSON value as a record holds it.
func fieldValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case 't', 'f':
		return raw[0] == 't', nil
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case '{', '[':
		return slices.Clone(raw), nil
	}
	text := string(raw)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, ".eE") {
		return f, nil
	}
	return slices.Clone(raw), nil // an integer that int64 cannot hold
}
