package frontier

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// migrations[n] turns the rows of format n into those of the next format. It
// may be run again on rows that it has already turned, all or some.
var migrations = map[int]func(*store) error{
	1: numberCommits,
	2: func(*store) error { return nil }, // format 3 has more flags in the rows of requests
	3: func(*store) error { return nil }, // format 4 one more
	4: func(*store) error { return nil }, // and format 5 two, and rows of pages known from earlier runs
}

// migrate brings the rows up to the format of this program, step by step. The
// STATE file changes first: from then on an older program refuses the folder,
// and one that finds the work half done goes on with it.
func (f *folder) migrate(s *store) error {
	for id := f.id; id.rows() < format; id = f.id {
		from := id.rows()
		id.Format, id.Migrating = format, from
		if err := f.identify(id); err != nil {
			return err
		}
		if err := migrations[from](s); err != nil {
			return fmt.Errorf("state folder %s: bringing it from format %d to %d: %w", f.dir, from, from+1, err)
		}
		if id.Migrating++; id.Migrating == format {
			id.Migrating = 0
		}
		if err := f.identify(id); err != nil {
			return err
		}
	}
	return nil
}

// numberCommits makes the commits of format 1 number zero: format 2 counts them
// from there.
func numberCommits(s *store) error {
	row, err := s.get(metaKey("counts"))
	if err != nil || row == nil {
		return err
	}
	c, err := decodeCounts(row, 1)
	if err != nil {
		return s.broken(err)
	}
	b := s.db.NewBatch()
	if err := b.Set(metaKey("counts"), c.encode(), nil); err != nil {
		return s.broken(err)
	}
	return s.apply(b, pebble.Sync)
}
