package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/rows"
)

// maxFooter bounds what describes a file, in bytes.
const maxFooter = 64 << 20

// atOnce is how many rows are taken from the file together.
const atOnce = 64

// Reader reads rows one after the other. It is used by one goroutine.
type Reader struct {
	file    io.Closer
	groups  []parquet.RowGroup // that are still to be read
	rows    parquet.Rows       // of the group in hand, nil between two
	columns []*node
	names   []string
	leaves  int

	buffer []parquet.Row
	ready  []parquet.Row
	number int64
}

var (
	errNotParquet = errors.New("the file is not Parquet")
	errTooLong    = fmt.Errorf("the row is longer than %d KiB", rows.MaxRow>>10)
)

// Open opens a file. Errors have no path in them.
func Open(path string) (*Reader, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	r, err := NewReader(f, info.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	r.file = f
	return r, nil
}

// cause is an error of the file system without the path.
func cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// NewReader reads a file that is open.
func NewReader(in io.ReaderAt, size int64) (*Reader, error) {
	if err := checkFooter(in, size); err != nil {
		return nil, err
	}
	r := &Reader{}
	err := guarded(func() error {
		f, err := parquet.OpenFile(in, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
		if err != nil {
			return err
		}
		r.groups = f.RowGroups()
		for _, c := range f.Root().Columns() {
			n := newNode(c)
			if n.leaves == 0 {
				return fmt.Errorf("the column %q has a type that is not read", c.Name())
			}
			r.columns, r.names = append(r.columns, n), append(r.names, c.Name())
			r.leaves += n.leaves
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w that can be read: %w", errNotParquet, err)
	case len(r.columns) == 0 || len(r.columns) > rows.MaxColumns:
		return nil, fmt.Errorf("the file has %d columns; 1 to %d can be read", len(r.columns), rows.MaxColumns)
	}
	seen := map[string]bool{}
	for _, name := range r.names {
		if name == "" || seen[name] {
			return nil, fmt.Errorf("the file has two columns %q, or one without a name", name)
		}
		seen[name] = true
	}
	r.buffer = make([]parquet.Row, atOnce)
	return r, nil
}

// checkFooter refuses what is no Parquet file, and one whose description would take
// more memory than any has a use for.
func checkFooter(in io.ReaderAt, size int64) error {
	var end [8]byte
	if size < 12 {
		return errNotParquet
	}
	if _, err := in.ReadAt(end[:], size-8); err != nil {
		return cause(err)
	}
	switch n := int64(binary.LittleEndian.Uint32(end[:])); {
	case string(end[4:]) == "PARE":
		return errors.New("the file is encrypted")
	case string(end[4:]) != "PAR1", n > size-12:
		return errNotParquet
	case n > maxFooter:
		return fmt.Errorf("the file's description is larger than %d MiB", maxFooter>>20)
	}
	return nil
}

// guarded turns a panic of the library over a damaged file into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("damaged: %v", fault)
		}
	}()
	return f()
}

// Columns are the names of the columns.
func (r *Reader) Columns() []string { return r.names }

// Next reads a row. It returns io.EOF after the last; with any other error nothing
// more can be read of the file. What is wrong with one row is in Row.Err.
func (r *Reader) Next() (*rows.Row, error) {
	for len(r.ready) == 0 {
		if err := guarded(r.more); err != nil {
			if err == io.EOF {
				return nil, err
			}
			return nil, fmt.Errorf("behind row %d: %w", r.number, cause(err))
		}
	}
	raw := r.ready[0]
	r.ready = r.ready[1:]
	r.number++
	row := &rows.Row{Number: r.number}
	err := guarded(func() error { return r.convert(raw, row) })
	if row.Err == nil && err != nil {
		row.Err = err
	}
	return row, nil
}

// more takes the next rows from the file.
func (r *Reader) more() error {
	if r.rows == nil {
		if len(r.groups) == 0 {
			return io.EOF
		}
		r.rows, r.groups = r.groups[0].Rows(), r.groups[1:]
	}
	n, err := r.rows.ReadRows(r.buffer)
	r.ready = r.buffer[:n]
	if err == io.EOF || err == nil && n == 0 {
		err = r.rows.Close()
		r.rows = nil
	}
	if n > 0 && err != nil {
		r.groups, err = nil, fmt.Errorf("the file ends early: %w", err)
	}
	return err
}

// convert makes the fields of a row.
func (r *Reader) convert(raw parquet.Row, row *rows.Row) error {
	values := make([][]parquet.Value, r.leaves)
	size := 0
	for _, v := range raw {
		at := v.Column()
		if at < 0 || at >= r.leaves {
			return errors.New("the row has a value of no column")
		}
		values[at] = append(values[at], v)
		size += 8
		if k := v.Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			size += len(v.ByteArray())
		}
	}
	if size > rows.MaxRow {
		row.Err = errTooLong // and its values are of no use
		return nil
	}
	row.Fields = make([]crawler.Field, 0, len(r.columns))
	for i, n := range r.columns {
		c := cursor{values: values[:n.leaves]}
		values = values[n.leaves:]
		v, err := n.read(&c, 0)
		if err == nil && n.nested() {
			v, err = asJSON(v)
		}
		if err != nil && row.Err == nil {
			row.Err = fmt.Errorf("%s: %w", r.names[i], err)
		}
		row.Fields = append(row.Fields, crawler.Field{Name: r.names[i], Value: v})
	}
	return nil
}

// Close closes the file that Open has opened.
func (r *Reader) Close() error {
	if r.rows != nil {
		_ = guarded(r.rows.Close) // nothing is written by it
	}
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
