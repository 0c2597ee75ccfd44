package frontier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
)

// Problem is one thing that is wrong with a state.
type Problem struct {
	Where string `json:"where"` // a file of the folder, or a kind of row
	What  string `json:"what"`
}

// Checked is what Check found.
type Checked struct {
	Files    int       `json:"files"` // read to their end
	Bytes    int64     `json:"bytes"`
	Rows     int64     `json:"rows"`
	Problems []Problem `json:"problems"`
	// More is how many problems there are beyond those listed.
	More int `json:"more_problems,omitempty"`
}

const maxProblems = 100

func (c *Checked) add(where, what string) {
	if len(c.Problems) >= maxProblems {
		c.More++
		return
	}
	c.Problems = append(c.Problems, Problem{where, what})
}

func (c *Checked) addErr(where string, err error) {
	what := strings.ReplaceAll(err.Error(), crawler.ErrStop.Error()+": ", "")
	c.add(where, strings.ReplaceAll(what, ErrDamaged.Error()+": ", ""))
}

// Check reads a state to its last octet: the small files, every block of the
// store, and whether its rows agree with one another. With it comes a Reader of
// what is there, nil where the store cannot be opened; the caller closes it.
// The error is about what kept Check from looking.
func Check(ctx context.Context, dir string) (*Checked, *Reader, error) {
	return check(ctx, vfs.Default, dir)
}

func check(ctx context.Context, fsys vfs.FS, dir string) (*Checked, *Reader, error) {
	f, err := holdFolder(fsys, dir)
	if err != nil {
		return nil, nil, err
	}
	c := &Checked{}
	if _, err := f.fs.Stat(f.path(discardFile)); err == nil {
		c.add(discardFile, "the state was being discarded; the next run does the rest")
	}
	id, err := readIdentity(f.fs, f.path(identityFile))
	switch {
	case err != nil:
		c.addErr(identityFile, err)
	case id.Format > format:
		return nil, nil, errors.Join(newerFormat(dir, id), f.release())
	}
	f.id = id
	if _, _, err := f.ending(); err != nil {
		c.addErr(closedFile, err)
	}
	c.checkManifest(f)
	r, err := f.readStore()
	if err != nil {
		c.addErr(storeDir, err)
	}
	if err := c.checkTables(ctx, f, r); err != nil {
		return nil, nil, errors.Join(err, f.releaseWith(r))
	}
	if r == nil {
		return c, nil, f.release()
	}
	if r.Cut != nil {
		c.addErr(storeDir, r.Cut)
	}
	if err := c.checkRows(ctx, r); err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	return c, r, nil
}

func (f *folder) releaseWith(r *Reader) error {
	if r != nil {
		return r.Close()
	}
	return f.release()
}

// checkManifest reads the store's table of contents to its end. Pebble stops at
// the first part that it cannot read, and takes the rest for unwritten.
func (c *Checked) checkManifest(f *folder) {
	dir := f.path(storeDir)
	names, err := f.fs.List(dir)
	if err != nil {
		c.addErr(storeDir, err)
		return
	}
	for _, name := range names {
		_, current, ok := strings.Cut(name, ".MANIFEST-")
		if kindOf(name) != markerFile || !ok {
			continue
		}
		where := "MANIFEST-" + current
		file, err := f.fs.Open(f.fs.PathJoin(dir, where))
		if err != nil {
			c.addErr(storeDir+"/"+where, err)
			continue
		}
		records := record.NewReader(file, 0)
		for err == nil {
			var in io.Reader
			if in, err = records.Next(); err == nil {
				_, err = io.Copy(io.Discard, in)
			}
		}
		at := records.Offset()
		if info, serr := file.Stat(); serr == nil {
			c.Files++
			c.Bytes += info.Size()
			if !errors.Is(err, io.EOF) {
				c.add(storeDir+"/"+where, fmt.Sprintf("cannot be read beyond offset %d of %d: %v", at, info.Size(), err))
			}
		}
		_ = file.Close() // only read from
	}
}

// checkTables verifies the checksum of every block of the tables in use, or of
// all where the store cannot tell which these are.
func (c *Checked) checkTables(ctx context.Context, f *folder, r *Reader) error {
	var used map[string]bool
	if r != nil {
		var err error
		if used, err = r.store.tables(); err != nil {
			return err
		}
	}
	names, err := f.fs.List(f.path(storeDir))
	if err != nil {
		return nil // said already
	}
	for _, name := range names {
		if info, err := f.fs.Stat(f.fs.PathJoin(f.path(storeDir), name)); kindOf(name) == logFile && r != nil && err == nil {
			c.Files++ // read when the store was opened
			c.Bytes += info.Size()
		}
		if kindOf(name) != tableFile || r != nil && !used[name] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		size, err := checkTable(ctx, f, name)
		if err != nil {
			c.addErr(storeDir+"/"+name, err)
		}
		c.Files++
		c.Bytes += size
	}
	return nil
}

// checkInUse verifies the checksums of the tables of an open store, up to the
// first that is wrong.
func (f *folder) checkInUse(s *store) error {
	used, err := s.tables()
	if err != nil {
		return err
	}
	for name := range used {
		_, err := checkTable(context.Background(), f, name)
		if errors.Is(err, fs.ErrNotExist) {
			if now, err := s.tables(); err == nil && !now[name] {
				continue // it was merged with others meanwhile
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// tables are the names of the tables that the store uses now.
func (s *store) tables() (map[string]bool, error) {
	levels, err := s.db.SSTables()
	if err != nil {
		return nil, s.broken(err)
	}
	used := map[string]bool{}
	for _, level := range levels {
		for _, t := range level {
			used[t.BackingSSTNum.String()+".sst"] = true
		}
	}
	return used, nil
}

func checkTable(ctx context.Context, f *folder, name string) (size int64, err error) {
	t, err := openTable(ctx, f, name)
	if err != nil {
		return 0, err
	}
	err = guard(t.ValidateBlockChecksums)
	return t.size, errors.Join(err, t.Close())
}

type table struct {
	*sstable.Reader
	size int64
}

// openTable opens one table of the store without the others.
func openTable(ctx context.Context, f *folder, name string) (*table, error) {
	file, err := f.fs.Open(f.fs.PathJoin(f.path(storeDir), name))
	if err != nil {
		return nil, err
	}
	in, err := sstable.NewSimpleReadable(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	t := &table{size: in.Size()}
	err = guard(func() (err error) {
		t.Reader, err = sstable.NewReader(ctx, in, tableOptions())
		return err
	})
	if err != nil {
		return nil, err // which closed the file
	}
	return t, nil
}
