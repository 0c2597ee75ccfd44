package rows

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
)

// csvReader gives the parser of encoding/csv one line at a time, so that a quote
// without end takes MaxRow bytes at most, and the lines behind it are read again.
type csvReader struct {
	*lines
	comma  rune
	parser *csv.Reader // nil after an error: it may hold a rest
	base   int64       // the lines that were given before the parser began

	taken [][]byte // the lines of the row in hand, when there are several
	size  int
	rest  []byte // of a line that the parser has not room for
	open  bool   // a quote of the row in hand, at the end of the last line
	err   error  // why a line could not be given
}

// Read gives the parser the next line, as far as it has room.
func (c *csvReader) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		line, long, err := c.take()
		if err != nil {
			c.err = err
			return 0, err
		}
		c.taken = append(c.taken, line)
		if c.size += len(line); long || c.size > MaxRow {
			c.err = errTooLong
			return 0, errTooLong
		}
		c.rest = line
		if c.open = c.open != (bytes.Count(line, []byte{'"'})%2 == 1); c.open && bytes.HasSuffix(line, []byte("\r\n")) {
			// The parser makes CR LF LF, within cells too.
			c.rest = append(slices.Clone(line[:len(line)-2]), "\r\r\n"...)
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// record reads one row. bad says what is wrong with it.
func (c *csvReader) record() (cells []string, line int64, bad, err error) {
	if c.parser == nil {
		c.parser = csv.NewReader(c)
		c.parser.FieldsPerRecord = -1
		if c.comma != 0 {
			c.parser.Comma = c.comma
		}
		c.rest, c.base = nil, c.number
	}
	c.taken, c.size, c.err, c.open = c.taken[:0], 0, nil, false
	before := c.number
	cells, err = c.parser.Read()
	switch {
	case err == nil:
		at, _ := c.parser.FieldPos(0)
		return cells, c.base + int64(at), nil, nil
	case len(c.taken) == 0 && c.err == io.EOF:
		return nil, 0, nil, io.EOF
	case c.err != nil && c.err != io.EOF && c.err != errTooLong:
		return nil, 0, nil, c.err
	}
	c.parser = nil
	if allEmpty(c.taken) { // and then the end
		return nil, 0, nil, io.EOF
	}
	first := slices.IndexFunc(c.taken, func(l []byte) bool { return strings.TrimRight(string(l), "\r\n") != "" })
	c.restore(c.taken[first+1:])
	return nil, before + int64(first) + 1, c.reason(err, len(c.taken) > first+1), nil
}

func allEmpty(list [][]byte) bool {
	return !slices.ContainsFunc(list, func(l []byte) bool { return strings.TrimRight(string(l), "\r\n") != "" })
}

// reason says in words what the parser found.
func (c *csvReader) reason(err error, several bool) error {
	var pe *csv.ParseError
	switch {
	case several && (c.err == io.EOF || c.err == errTooLong):
		return errors.New("a quote is opened and not closed")
	case c.err == errTooLong:
		return errTooLong
	case errors.As(err, &pe) && errors.Is(pe.Err, csv.ErrBareQuote):
		return errors.New(`a cell that does not begin with a quote has one in it; write "a ""quoted"" word"`)
	case errors.As(err, &pe) && errors.Is(pe.Err, csv.ErrQuote):
		if c.err == io.EOF {
			return errors.New("a quote is opened and not closed")
		}
		return errors.New(`a quote within a quoted cell is not doubled; write "a ""quoted"" word"`)
	}
	return err
}

// header reads the names of the columns.
func (c *csvReader) header() ([]string, error) {
	if c.comma != 0 && (c.comma == '"' || c.comma == '\r' || c.comma == '\n' || !utf8.ValidRune(c.comma) || c.comma == utf8.RuneError) {
		return nil, fmt.Errorf("%q cannot be a delimiter", c.comma)
	}
	cells, line, bad, err := c.record()
	switch {
	case err == io.EOF:
		return nil, errors.New("the file is empty; its first line must name the columns")
	case err != nil:
		return nil, err
	case bad != nil:
		return nil, fmt.Errorf("line %d: %w", line, bad)
	case len(cells) > MaxColumns:
		return nil, fmt.Errorf("the header names %d columns, more than %d", len(cells), MaxColumns)
	}
	for i, name := range cells {
		cells[i] = strings.TrimSpace(name)
		switch {
		case !utf8.ValidString(name):
			return nil, fmt.Errorf("the header: %w", errEncoding)
		case cells[i] == "":
			return nil, fmt.Errorf("the header has no name for column %d", i+1)
		case slices.Contains(cells[:i], cells[i]):
			return nil, fmt.Errorf("the header names %q twice", cells[i])
		}
	}
	return cells, nil
}

// next reads a row of values.
func (c *csvReader) next(row *Row, header []string) error {
	cells, line, bad, err := c.record()
	if err != nil {
		return err
	}
	row.Line, row.Err = line, bad
	if bad == nil && len(cells) != len(header) {
		row.Err = fmt.Errorf("%s where the header has %d", plural(len(cells), "column"), len(header))
	}
	row.Fields = make([]crawler.Field, 0, min(len(cells), len(header)))
	for i, cell := range cells[:min(len(cells), len(header))] {
		if !utf8.ValidString(cell) {
			cell = strings.ToValidUTF8(cell, "\ufffd")
			if row.Err == nil {
				row.Err = fmt.Errorf("%s: %w", header[i], errEncoding)
			}
		}
		row.Fields = append(row.Fields, crawler.Field{Name: header[i], Value: cell})
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
