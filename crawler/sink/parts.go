package sink

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// partMark stands for a part's number in the path of an output that is written in
// parts. A path without it gets it before its ending.
const partMark = "{part}"

// CheckParts reports what is wrong with the path of an output in parts, as one
// *crawler.ConfigError.
func CheckParts(path string) error {
	bad := func(msg, hint string) error {
		return &crawler.ConfigError{Path: []string{"path"}, Msg: msg, Hint: hint}
	}
	if err := checkPath(path, partMark); err != nil {
		return err
	}
	switch clean := filepath.ToSlash(path); {
	case clean == stdoutPath, strings.HasPrefix(clean, "/dev/"):
		return bad("files that are written in parts need a folder", "write a file name such as out/{type}.parquet")
	case strings.Count(clean, partMark) > 1, strings.Contains(filepath.ToSlash(filepath.Dir(path)), partMark):
		return bad(fmt.Sprintf("%q does not hold {part} once, in the name of the file", path), "such as out/{type}/{part}.parquet")
	}
	return nil
}

// Parts are the files of an output that is written in parts: each is there whole or
// not at all. Their folder is guarded as that of the other outputs.
type Parts struct {
	template string
	run      crawler.RunInfo
	names    Names
}

// NewParts are the parts of a path that CheckParts has approved.
func NewParts(path string, run crawler.RunInfo) *Parts {
	if !strings.Contains(filepath.Base(path), partMark) {
		end := filepath.Ext(path)
		path = strings.TrimSuffix(path, end) + "-" + partMark + end
	}
	p := &Parts{template: path, run: run}
	for _, t := range run.Types {
		p.Stream(t.Name)
	}
	return p
}

// Stream names the parts that a record type goes to.
func (p *Parts) Stream(recordType string) string {
	if !strings.Contains(p.template, "{type}") {
		return "records"
	}
	return p.names.Of(recordType)
}

// File is the path of a part.
func (p *Parts) File(stream string, serial int64) string { return p.file(stream, partNumber(serial)) }

func partNumber(serial int64) string { return fmt.Sprintf("%05d", serial) }

func (p *Parts) file(stream, number string) string {
	return filepath.Clean(strings.ReplaceAll(expand(p.template, p.run, stream), partMark, number))
}

// Around are what stands before and behind the number in the paths of a stream's parts.
func (p *Parts) Around(stream string) (before, after string) {
	before, after, _ = strings.Cut(p.file(stream, partMark), partMark)
	return before, after
}

// unfinished is the name of a part while it is written.
func unfinished(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
}

// Write makes a part, in place of one of the same number. fill writes its content.
// Errors wrap crawler.ErrStop and name the file.
func (p *Parts) Write(ctx context.Context, stream string, serial int64, fill func(io.Writer) error) error {
	path := p.File(stream, serial)
	err := p.write(path, func(w io.Writer) error {
		return fill(&untilDone{ctx, w})
	})
	if err != nil {
		return (&file{path: path}).stop("write", err)
	}
	return nil
}

func (p *Parts) write(path string, fill func(io.Writer) error) error {
	disk := realDisk{fenceOf(p.template)}
	if err := makeFolder(disk, filepath.Dir(path)); err != nil {
		return err
	}
	return disk.folder.within(path, func(in *os.Root, name string) error {
		temporary := unfinished(name)
		f, err := in.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return err
		}
		buffered := bufio.NewWriterSize(f, 4*bufferSize)
		err = fill(buffered)
		if err == nil {
			err = errors.Join(buffered.Flush(), f.Sync())
		}
		err = errors.Join(err, f.Close())
		if err == nil {
			err = in.Rename(temporary, name)
		}
		if err != nil {
			_ = in.Remove(temporary) // what went wrong before matters
			return err
		}
		return disk.SyncFolder(filepath.Dir(path))
	})
}

// untilDone refuses writes once its context has ended.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u *untilDone) Write(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(b)
}

// Clear removes the parts that an earlier run left in the places of this one's.
func (p *Parts) Clear() error {
	streams := []string{p.Stream("")}
	if strings.Contains(p.template, "{type}") {
		streams = nil
		for _, t := range p.run.Types {
			streams = append(streams, p.Stream(t.Name))
		}
	}
	disk := realDisk{fenceOf(p.template)}
	for _, stream := range streams {
		if err := p.clear(disk, stream); err != nil {
			return (&file{path: p.File(stream, 1)}).stop("remove the parts of an earlier run beside", err)
		}
	}
	return nil
}

func (p *Parts) clear(disk realDisk, stream string) error {
	path := p.file(stream, partMark)
	before, after := p.Around(stream)
	before = filepath.Base(before + "x")
	before = before[:len(before)-1]
	if err := makeFolder(disk, filepath.Dir(path)); err != nil {
		return err
	}
	return disk.folder.within(path, func(in *os.Root, name string) error {
		dir := filepath.Dir(name)
		entries, err := fs.ReadDir(in.FS(), filepath.ToSlash(dir))
		if err != nil {
			return err
		}
		removed := false
		for _, e := range entries {
			own := strings.TrimPrefix(strings.TrimSuffix(e.Name(), ".part"), ".")
			number, ok := strings.CutPrefix(own, before)
			if number, ok = cutSuffix(number, after, ok); !ok || !IsPartNumber(number) || !e.Type().IsRegular() {
				continue
			}
			if err := in.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
			removed = true
		}
		if !removed {
			return nil
		}
		return disk.SyncFolder(filepath.Dir(path))
	})
}

func cutSuffix(s, suffix string, ok bool) (string, bool) {
	s, cut := strings.CutSuffix(s, suffix)
	return s, ok && cut
}

// IsPartNumber reports whether a text can be the number of a part in its name.
func IsPartNumber(s string) bool {
	return len(s) >= 5 && strings.Trim(s, "0123456789") == ""
}

// Open opens a part to read it.
func (p *Parts) Open(stream string, serial int64) (*os.File, error) {
	return realDisk{fenceOf(p.template)}.open(p.File(stream, serial), os.O_RDONLY, 0)
}

// within calls f with the folder and the name that a path below it has there.
func (d fence) within(path string, f func(in *os.Root, name string) error) error {
	name, below := d.below(path)
	if !below {
		return fmt.Errorf("%s %w %s", path, errEscape, string(d))
	}
	in, err := os.OpenRoot(string(d))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	return d.explain(path, name, f(in, name))
}

// Names gives record types names that no file system takes for the same. The zero
// Names are ready to use.
type Names struct {
	byType map[string]string
	byFold map[string]string
}

// Of is the name of a record type as it can stand in the name of a file.
func (n *Names) Of(recordType string) string {
	if name, ok := n.byType[recordType]; ok {
		return name
	}
	if n.byType == nil {
		n.byType, n.byFold = map[string]string{}, map[string]string{}
	}
	name := cleanName(recordType)
	if _, taken := n.byFold[fold(name)]; taken {
		name = checked(name, recordType)
	}
	n.byType[recordType], n.byFold[fold(name)] = name, recordType
	return name
}
