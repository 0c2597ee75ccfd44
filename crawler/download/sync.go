package download

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sync/errgroup"
)

// syncers is how many files are synced at a time by a batch, and as many before it.
const syncers = 16

// syncing is the sync of a file that has begun before its batch.
type syncing struct {
	done chan struct{}
	err  error // once it is done
}

// presync begins to sync a small file, so that its batch need not wait: workers stand
// still while a batch does. Where too many are under way the batch does it.
func (s *Store) presync(k *kept) {
	if !k.needsSync() {
		return
	}
	select {
	case s.slots <- struct{}{}:
	default:
		return
	}
	k.syncing = &syncing{done: make(chan struct{})}
	s.syncs.Go(func() {
		k.syncing.err = s.syncData(k.id)
		close(k.syncing.done)
		<-s.slots
	})
}

// needsSync tells small files, whose data nobody has synced.
func (k *kept) needsSync() bool { return k.end == endKept && !k.state && !k.placed && !k.elsewhere }

// syncAll syncs the data of small files; that of larger ones is.
func (s *Store) syncAll(ctx context.Context, all []*kept) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(syncers)
	for _, k := range all {
		if !k.needsSync() || k.syncing != nil {
			continue
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return s.syncData(k.id)
		})
	}
	err := group.Wait()
	for _, k := range all {
		if k.syncing != nil && !k.placed {
			<-k.syncing.done
			err = errors.Join(err, k.syncing.err)
		}
	}
	return err
}

func (s *Store) syncData(id string) error {
	f, err := s.partials.root.OpenFile(s.partials.dataName(id), os.O_WRONLY, 0)
	if err != nil {
		return broken("syncing", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return broken("syncing", err)
	}
	return nil
}

// syncDirs syncs folders, each of which has new entries.
func (s *Store) syncDirs(dirs map[string]bool) error {
	var group errgroup.Group
	group.SetLimit(syncers)
	for dir := range dirs {
		group.Go(func() error { return s.syncDir(dir) })
	}
	return group.Wait()
}

func (s *Store) syncDir(dir string) error {
	d, err := s.root.Open(dir)
	if err != nil {
		return broken("syncing the folder of", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return broken("syncing the folder of", err)
	}
	return nil
}
