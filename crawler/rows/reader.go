package rows

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MaxRow bounds one row in bytes, MaxColumns the columns of a header.
const (
	MaxRow     = 256 << 10
	MaxColumns = 1000
)

// Format is how a dataset is written.
type Format uint8

// The formats that are read.
const (
	CSV Format = iota
	JSONLines
)

// FormatOf tells the format by a file's name; false: it is none that is read.
func FormatOf(path string) (Format, bool) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv", ".tsv", ".tab", ".txt":
		return CSV, true
	case ".jsonl", ".ndjson":
		return JSONLines, true
	}
	return CSV, false
}

// Reader reads rows one after the other. It is used by one goroutine.
type Reader struct {
	file   io.Closer
	lines  *lines
	next   func(*Row) error
	header []string
	number int64
}

var (
	errEncoding = errors.New("the text is not UTF-8")
	errTooLong  = fmt.Errorf("the row is longer than %d KiB", MaxRow>>10)
)

// Open opens a file by its name's ending. A delimiter of 0 is a comma, or a tab
// where the name ends in .tsv or .tab. Errors about the file have no path in them.
func Open(path string, delimiter rune) (*Reader, error) {
	format, ok := FormatOf(path)
	if !ok {
		return nil, fmt.Errorf("%s is none of the formats that are read: .csv, .tsv, .jsonl, .parquet", orNone(filepath.Ext(path)))
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file") // a pipe could block for ever, and is read twice
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	if ext := strings.ToLower(filepath.Ext(path)); delimiter == 0 && (ext == ".tsv" || ext == ".tab") {
		delimiter = '\t'
	}
	r, err := NewReader(f, format, delimiter)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.file = f
	return r, nil
}

func orNone(ext string) string {
	if ext == "" {
		return "a name without an ending"
	}
	return ext
}

// cause is an error of the file system without the path.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// NewReader reads a dataset that is open, and its header where it has one.
func NewReader(in io.Reader, format Format, delimiter rune) (*Reader, error) {
	r := &Reader{lines: newLines(in)}
	start, err := r.lines.in.Peek(2)
	if err != nil && err != io.EOF {
		return nil, cause(err)
	}
	if bytes.Equal(start, []byte{0xff, 0xfe}) || bytes.Equal(start, []byte{0xfe, 0xff}) {
		return nil, errors.New("the file is UTF-16; write it as UTF-8")
	}
	if start, _ := r.lines.in.Peek(r.lines.in.Size()); bytes.IndexByte(start, '\n') < 0 && bytes.IndexByte(start, '\r') >= 0 {
		return nil, errors.New("the lines end in CR alone, as old programs write them; write the file with LF")
	}
	if format == JSONLines {
		r.next = r.nextJSON
		return r, nil
	}
	c := &csvReader{lines: r.lines, comma: delimiter}
	if r.header, err = c.header(); err != nil {
		return nil, err
	}
	r.next = func(row *Row) error { return c.next(row, r.header) }
	return r, nil
}

// Columns are those of the header, nil where the format has none.
func (r *Reader) Columns() []string { return r.header }

// Next reads a row. It returns io.EOF after the last; other errors are failures of
// the disk. What is wrong with a row is in Row.Err.
func (r *Reader) Next() (*Row, error) {
	row := &Row{}
	if err := r.next(row); err != nil {
		return nil, err
	}
	r.number++
	row.Number = r.number
	return row, nil
}

// Close closes the file that Open has opened.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// lines gives the lines of a text, and takes back those that were taken too many.
type lines struct {
	in     *bufio.Reader
	number int64    // of the line that was given last
	back   [][]byte // the next line is the last of them
}

func newLines(in io.Reader) *lines { return &lines{in: bufio.NewReaderSize(in, 64<<10)} }

// take gives a line with its end; long tells that it was cut, being more than MaxRow.
func (l *lines) take() (line []byte, long bool, err error) {
	if n := len(l.back); n > 0 {
		line, l.back = l.back[n-1], l.back[:n-1]
		l.number++
		return line, false, nil
	}
	for {
		piece, err := l.in.ReadSlice('\n')
		if room := MaxRow - len(line); len(piece) > room {
			piece, long = piece[:room], true
		}
		line = append(line, piece...)
		switch {
		case err == nil, err == io.EOF && len(line) > 0:
			if l.number++; l.number == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			return line, long, nil
		case err == io.EOF:
			return nil, false, io.EOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, cause(err)
		}
	}
}

// restore puts lines back that were taken, in their order.
func (l *lines) restore(taken [][]byte) {
	for i := len(taken) - 1; i >= 0; i-- {
		l.back = append(l.back, taken[i])
	}
	l.number -= int64(len(taken))
}
