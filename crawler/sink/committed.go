package sink

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// maxLine bounds a line that is read back.
const maxLine = 256 << 20

// EachCommitted reads back the records that a run has committed to the files, one
// file after the other, until yield returns an error. A run may write to them
// meanwhile: what it has not committed is not read. Nothing is changed.
func (j *JSONL) EachCommitted(position []byte, yield func(*crawler.Record) error) error {
	return j.eachLine(position, func(path string, n int, line []byte) error {
		r, err := ParseJSON(line)
		if err != nil {
			return fmt.Errorf("%s:%d: not a record: %w", path, n, err)
		}
		return yield(&r)
	})
}

// EachLine is EachCommitted with the records as they stand, without the ends of their
// lines. A line is good until yield returns.
func (j *JSONL) EachLine(position []byte, yield func(line []byte) error) error {
	return j.eachLine(position, func(_ string, _ int, line []byte) error { return yield(line) })
}

func (j *JSONL) eachLine(position []byte, yield func(path string, n int, line []byte) error) error {
	if j.Path == stdoutPath {
		return errors.New("the records went to standard output, and are not kept")
	}
	if err := j.CheckPosition(position); err != nil {
		return err
	}
	sizes, err := (&files{format: "jsonl"}).decode(position)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(sizes)) {
		if sizes[key] == 0 {
			continue
		}
		path := filepath.Join(root(j.Path), filepath.FromSlash(key))
		if err := linesOf(path, sizes[key], yield); err != nil {
			return err
		}
	}
	return nil
}

func linesOf(path string, size int64, yield func(path string, n int, line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	lines := bufio.NewScanner(io.LimitReader(f, size))
	lines.Buffer(make([]byte, bufferSize), maxLine)
	for n := 1; lines.Scan(); n++ {
		if err := yield(path, n, lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// ParseJSON reads a record that AppendJSON has written: fields in their order,
// integers as int64, lists and objects as they stand. AppendJSON makes the same line
// of it again.
func ParseJSON(line []byte) (r crawler.Record, err error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return r, errors.Join(errors.New("it is no JSON object"), err)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return r, err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return r, err
		}
		if err := takeMember(&r, name.(string), raw); err != nil {
			return r, err
		}
	}
	_, err = dec.Token()
	return r, err
}

// takeMember puts one member of a record's object in its place.
func takeMember(r *crawler.Record, name string, raw json.RawMessage) error {
	if name == crawler.DeletedName {
		return json.Unmarshal(raw, &r.Deleted)
	}
	if !slices.Contains(crawler.ProvenanceNames, name) {
		value, err := fieldValue(raw)
		r.Fields = append(r.Fields, crawler.Field{Name: name, Value: value})
		return err
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	switch name {
	case "_type":
		r.Type = text
	case "_url":
		r.URL = text
	case "_requested":
		r.Requested = text
	case "_run":
		r.Run = text
	case "_key":
		r.Key = text
	case "_usage":
		r.Usage = text
	case "_fetched_at":
		at, err := time.Parse(time.RFC3339Nano, text)
		r.FetchedAt = at
		return err
	}
	return nil
}

// fieldValue is a JSON value as a field holds it.
func fieldValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case '{', '[':
		return slices.Clone(raw), nil
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return number(raw), nil
	}
	var value any
	err := json.Unmarshal(raw, &value)
	return value, err
}

// number is an int64 or a float64 where that is written as the text is, and is the
// same number. Another one stays as it is: an integer of more than 64 bits, a decimal
// of many digits or with zeros at its end, 1e400.
func number(raw json.RawMessage) any {
	text := string(raw)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && text != "-0" {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || string(appendFloat(nil, f)) != text {
		return slices.Clone(raw)
	}
	if !strings.ContainsAny(text, ".e") && text != "-0" {
		if whole, _ := new(big.Float).SetFloat64(f).Int(nil); whole.String() != text {
			return slices.Clone(raw)
		}
	}
	return f
}
