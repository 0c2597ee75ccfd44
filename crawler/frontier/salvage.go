package frontier

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// Salvage reads what can be read of a state that cannot be opened, or not to its
// end, table by table and log by log, into a store in a folder of its own below
// temp, and gives a Reader of that. Lost are the blocks that are damaged. What
// the damage hides of deletions comes back: a URL may be pending again that has
// its outcome. The state is not changed. Close removes the folder.
//
// Lost tells what could not be read.
func Salvage(ctx context.Context, dir, temp string) (r *Reader, lost []Problem, err error) {
	return salvageFrom(ctx, vfs.Default, dir, temp)
}

func salvageFrom(ctx context.Context, fsys vfs.FS, dir, temp string) (r *Reader, lost []Problem, err error) {
	f, err := holdFolder(fsys, dir)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.release()) }()
	into, err := os.MkdirTemp(temp, "amble-salvage-")
	if err != nil {
		return nil, nil, err
	}
	r, lost, err = f.salvage(ctx, into)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(into))
	}
	return r, lost, nil
}

func (f *folder) salvage(ctx context.Context, into string) (*Reader, []Problem, error) {
	to := &folder{fs: vfs.Default, dir: into}
	if err := to.takeLock(); err != nil {
		return nil, nil, err
	}
	s, err := openStore(Options{FS: vfs.Default, Dir: into}.withDefaults(), to.path(storeDir))
	if err != nil {
		return nil, nil, errors.Join(err, to.release())
	}
	sal := &salvage{from: f, to: s, ctx: ctx}
	if err := sal.all(); err != nil {
		return nil, nil, errors.Join(err, s.close(), to.release())
	}
	if f.id, err = readIdentity(f.fs, f.path(identityFile)); err == nil {
		to.id = f.id
	}
	return &Reader{folder: to, store: s, temporary: true}, sal.lost.Problems, nil
}

// salvage is one pass over the files of a store. The newest version of each row
// wins, by the numbers that Pebble gives to writes.
type salvage struct {
	from *folder
	to   *store
	ctx  context.Context
	lost Checked

	batch   *pebble.Batch
	cleared []clearing
}

// clearing is a deletion of a whole range, as a fresh start makes it.
type clearing struct {
	from, to []byte
	seq      uint64
}

func (s *salvage) all() error {
	dir := s.from.path(storeDir)
	names, err := s.from.fs.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		s.lost.add(storeDir, "it is missing")
		return nil
	}
	if err != nil {
		return err
	}
	slices.Sort(names)
	s.batch = s.to.db.NewIndexedBatch()
	for _, name := range names {
		if kindOf(name) == tableFile {
			if err := s.file(name, func() error { return s.table(name) }); err != nil {
				return err
			}
		}
	}
	logs, err := wal.Scan(wal.Dir{FS: s.from.fs, Dirname: dir})
	if err != nil {
		return err
	}
	for _, l := range logs {
		if err := s.file(fmt.Sprintf("%06d.log", uint64(l.Num)), func() error { return s.log(l) }); err != nil {
			return err
		}
	}
	if err := s.flush(0); err != nil {
		return err
	}
	return s.settle()
}

// file reads one file. Its error is that of the store written to.
func (s *salvage) file(name string, read func() error) error {
	err := guard(read)
	if stopped := cmp.Or(s.ctx.Err(), s.to.err()); stopped != nil {
		return stopped
	}
	if err != nil {
		s.lost.addErr(storeDir+"/"+name, err)
	}
	return nil
}

// table reads a table from its front to the first block that is damaged, and
// from its end to the last.
func (s *salvage) table(name string) error {
	t, err := openTable(s.ctx, s.from, name)
	if err != nil {
		return err
	}
	defer func() { _ = t.Close() }() // only read from
	if err := s.clearings(t); err != nil {
		s.lost.addErr(storeDir+"/"+name, err)
	}
	it, err := t.NewIter(sstable.NoTransforms, nil, nil, sstable.AssertNoBlobHandles)
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }() // its error is known
	for kv := it.First(); kv != nil; kv = it.Next() {
		v, _, err := kv.Value(nil)
		if err != nil {
			return err
		}
		if err := s.keep(kv.K.UserKey, v, uint64(kv.K.SeqNum()), kv.K.Kind() == pebble.InternalKeyKindSet); err != nil {
			return err
		}
	}
	front := it.Error()
	if front == nil {
		return nil
	}
	back, err := t.NewIter(sstable.NoTransforms, nil, nil, sstable.AssertNoBlobHandles)
	if err != nil {
		return front
	}
	defer func() { _ = back.Close() }() // its error is the one at hand
	for kv := back.Last(); kv != nil; kv = back.Prev() {
		v, _, err := kv.Value(nil)
		if err != nil {
			return front
		}
		if err := s.keep(kv.K.UserKey, v, uint64(kv.K.SeqNum()), kv.K.Kind() == pebble.InternalKeyKindSet); err != nil {
			return err
		}
	}
	return front
}

func (s *salvage) clearings(t *table) error {
	it, err := t.NewRawRangeDelIter(s.ctx, sstable.NoFragmentTransforms, sstable.NoReadEnv)
	if err != nil || it == nil {
		return err
	}
	defer it.Close()
	span, err := it.First()
	for ; span != nil && err == nil; span, err = it.Next() {
		for _, k := range span.Keys {
			s.clear(span.Start, span.End, uint64(k.SeqNum()))
		}
	}
	return err
}

func (s *salvage) clear(from, to []byte, seq uint64) {
	s.cleared = append(s.cleared, clearing{slices.Clone(from), slices.Clone(to), seq})
}

// log reads a log to the first part that is damaged.
func (s *salvage) log(l wal.LogicalLog) error {
	records := l.OpenForRead()
	defer func() { _ = records.Close() }() // only read from
	for {
		in, at, err := records.NextRecord()
		var b []byte
		if err == nil {
			b, err = io.ReadAll(in)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, record.ErrUnexpectedEOF) {
			return nil // as a crash or a log used before leaves it
		}
		if err != nil {
			return fmt.Errorf("cannot be read beyond offset %d: %w", at.Physical, err)
		}
		if err := s.write(b); err != nil {
			return err
		}
	}
}

// write reads one batch of a log.
func (s *salvage) write(b []byte) error {
	head, ok := batchrepr.ReadHeader(b)
	if !ok {
		return errCorrupt
	}
	seq := uint64(head.SeqNum)
	for in := batchrepr.Read(b); ; {
		kind, key, value, ok, err := in.Next()
		if err != nil || !ok {
			return err
		}
		switch kind {
		case pebble.InternalKeyKindSet, pebble.InternalKeyKindDelete:
			err = s.keep(key, value, seq, kind == pebble.InternalKeyKindSet)
		case pebble.InternalKeyKindRangeDelete:
			s.clear(key, value, seq)
		case pebble.InternalKeyKindLogData:
			continue // takes no number
		}
		if err != nil {
			return err
		}
		seq++
	}
}

// keep notes a version of a row, with its number before it.
func (s *salvage) keep(key, value []byte, seq uint64, set bool) error {
	if len(key) == 0 || key[0] == chainRow {
		return nil
	}
	if old, closer, err := s.batch.Get(key); err == nil {
		newer := binary.BigEndian.Uint64(old)>>1 > seq
		_ = closer.Close() // of a batch, which has nothing to say
		if newer {
			return nil
		}
	} else if !errors.Is(err, pebble.ErrNotFound) {
		return s.to.broken(err)
	}
	tag := seq << 1
	if set {
		tag |= 1
	}
	if err := s.batch.Set(key, append(binary.BigEndian.AppendUint64(nil, tag), value...), nil); err != nil {
		return s.to.broken(err)
	}
	return s.flush(salvageBatch)
}

const salvageBatch = 4 << 20

// flush writes what was kept, once it is more than so many bytes.
func (s *salvage) flush(least int) error {
	if s.batch.Len() < least {
		return nil
	}
	if err := s.to.apply(s.batch, pebble.NoSync); err != nil {
		return err
	}
	s.batch = s.to.db.NewIndexedBatch()
	return s.ctx.Err()
}

// settle takes the numbers off, and the rows away that were deleted.
func (s *salvage) settle() error {
	out := s.to.db.NewBatch()
	err := s.to.scan([]byte{0}, []byte{0xff}, func(k, v []byte) (bool, error) {
		tag := binary.BigEndian.Uint64(v)
		var err error
		if tag&1 == 0 || s.isCleared(k, tag>>1) {
			err = out.Delete(k, nil)
		} else {
			err = out.Set(k, v[8:], nil)
		}
		if err == nil && out.Len() > salvageBatch {
			err = s.to.apply(out, pebble.NoSync)
			out = s.to.db.NewBatch()
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return s.to.apply(out, pebble.NoSync)
}

func (s *salvage) isCleared(key []byte, seq uint64) bool {
	for _, c := range s.cleared {
		if c.seq > seq && slices.Compare(c.from, key) <= 0 && slices.Compare(key, c.to) < 0 {
			return true
		}
	}
	return false
}
