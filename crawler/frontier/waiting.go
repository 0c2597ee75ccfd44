package frontier

import (
	"context"
	"slices"
	"time"
)

// notify wakes whoever waits. f.mu is held.
func (f *Frontier) notify() {
	if f.waiters > 0 {
		close(f.wake)
		f.wake = make(chan struct{})
	}
	for _, wake := range f.lessees {
		close(wake)
	}
	f.lessees = nil
}

// notifyOne wakes one of those who wait in Lease, the last to come. Where a host has
// become free that is enough, while waking all would cost more than an exchange when
// many workers wait. The one who was woken looks at what there is, and takes something
// or waits for as long as it is right to wait now; when it leaves it wakes the next,
// so that there is always one who waits by what is known now. f.mu is held.
func (f *Frontier) notifyOne() {
	if last := len(f.lessees) - 1; last >= 0 {
		close(f.lessees[last])
		f.lessees = f.lessees[:last]
	}
}

// wait gives f.mu up until something changes, the context ends or the store fails.
func (f *Frontier) wait(ctx context.Context) {
	wake := f.wake
	f.waiters++
	f.mu.Unlock()
	select {
	case <-wake:
	case <-ctx.Done():
	case <-f.store.failed:
	}
	f.mu.Lock()
	f.waiters--
}

// waitToLease gives f.mu up until something may be leased, the context ends, the store
// fails, or, when d is above zero, d has passed since now.
func (f *Frontier) waitToLease(ctx context.Context, now int64, d time.Duration) {
	var timer <-chan time.Time
	stop := func() {}
	if d > 0 {
		timer, stop = f.opt.After(min(d, maxWait))
		if f.clock.now()-now >= int64(d) { // it passed before the timer was set
			stop()
			return
		}
	}
	wake := make(chan struct{})
	f.lessees = append(f.lessees, wake)
	f.mu.Unlock()
	select {
	case <-wake:
	case <-timer:
	case <-ctx.Done():
	case <-f.store.failed:
	}
	stop()
	f.mu.Lock()
	if at := slices.Index(f.lessees, wake); at >= 0 {
		f.lessees = slices.Delete(f.lessees, at, at+1)
	}
}
