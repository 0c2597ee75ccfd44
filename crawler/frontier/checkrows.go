package frontier

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// rowCheck goes through the rows once, in memory that does not grow with them.
// That each queued URL has its state, and each state of a queued URL its
// request, is found out by two sums over the fingerprints, which differ when one
// is missing.
type rowCheck struct {
	*Checked
	ctx context.Context
	r   *Reader

	seen, settled, hosts int64
	unsettled, requests  sum
	known, contents      sum

	hostID   uint64
	host     *hostRecord
	hostRead bool
}

// sum is of a set, whatever its order.
type sum struct {
	n     int64
	total uint64
}

func (s *sum) add(id uint64, fp urls.Key) {
	var b [8 + fpLen]byte
	binary.BigEndian.PutUint64(b[:], id)
	copy(b[8:], fp[:])
	s.n++
	s.total += xxh3.Hash(b[:])
}

// checkRows adds what is wrong with the rows. Its error is the context's.
func (c *Checked) checkRows(ctx context.Context, r *Reader) error {
	rc := &rowCheck{Checked: c, ctx: ctx, r: r}
	steps := []struct {
		prefix byte
		where  string
		each   func(k, v []byte) error
	}{
		{hostRow, "host rows", rc.eachHost},
		{stateRow, "state rows", rc.eachState},
		{queueRow, "queue rows", rc.eachQueued},
		{dueRow, "retry rows", rc.eachDue},
		{readyRow, "ready rows", rc.eachReady},
		{knownRow, "rows of known pages", rc.eachKnown},
		{contentsRow, "contents of known pages", rc.eachContents},
	}
	for _, s := range steps {
		rc.hostRead = false
		err := r.store.scan([]byte{s.prefix}, []byte{s.prefix + 1}, func(k, v []byte) (bool, error) {
			c.Rows++
			err := s.each(k, v)
			if stopped := cmp.Or(r.store.err(), ctx.Err()); stopped != nil {
				return false, stopped // the store cannot be read any further
			}
			if err != nil {
				c.addErr(s.where, err)
			}
			return true, nil
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.addErr(s.where, err)
			return nil // the counts below would only say it again
		}
	}
	rc.compare()
	return nil
}

func (rc *rowCheck) compare() {
	n := &rc.r.counts
	for _, c := range []struct {
		what         string
		found, count int64
	}{
		{"URLs", rc.seen, n.seen},
		{"URLs with an outcome", rc.settled, n.settled},
		{"hosts", rc.hosts, n.hosts},
	} {
		if c.found != c.count {
			rc.add("counts", fmt.Sprintf("%d %s are there, %d are counted", c.found, c.what, c.count))
		}
	}
	if rc.unsettled != rc.requests {
		rc.add("queue rows", fmt.Sprintf("%d requests are queued and %d URLs are marked so, and they are not the same", rc.requests.n, rc.unsettled.n))
	}
	if rc.known != rc.contents {
		rc.add("rows of known pages", fmt.Sprintf("%d pages are known and %d have contents, and they are not the same", rc.known.n, rc.contents.n))
	}
}

var errNoHost = errors.New("a row of a host that is not known")

// of finds the host of a row; rows of one host follow one another mostly.
func (rc *rowCheck) of(id uint64) (*hostRecord, error) {
	if !rc.hostRead || rc.hostID != id {
		rec, err := rc.r.store.host(id)
		if err != nil {
			return nil, err
		}
		rc.host, rc.hostID, rc.hostRead = rec, id, true
	}
	if rc.host == nil {
		return nil, fmt.Errorf("%w: %016x", errNoHost, id)
	}
	return rc.host, nil
}

func (rc *rowCheck) eachHost(k, v []byte) error {
	rc.hosts++
	if len(k) != 9 {
		return errCorrupt
	}
	_, err := decodeHost(v)
	return err
}

func (rc *rowCheck) eachState(k, v []byte) error {
	id, fp, ok := splitStateKey(k)
	if !ok {
		return errCorrupt
	}
	state, err := decodeVerdict(v)
	if err != nil {
		return err
	}
	rc.seen++
	switch state.stands {
	case standsSettled:
		rc.settled++
	case standsQueued, standsRetry:
		rc.unsettled.add(id, fp)
	default:
		return errCorrupt
	}
	_, err = rc.of(id)
	return err
}

func (rc *rowCheck) eachQueued(k, v []byte) error {
	id, order, ok := splitQueueKey(k)
	if !ok {
		return errCorrupt
	}
	rc.requests.add(id, order.fp())
	first := !rc.hostRead || rc.hostID != id
	rec, err := rc.of(id)
	if err != nil {
		return err
	}
	if first {
		if err := rc.mark(id, rec); err != nil {
			rc.addErr("ready rows", err)
		}
	}
	_, err = decodeRequest(rec.name, &order, v)
	return err
}

// mark checks that a host with requests will get its turn.
func (rc *rowCheck) mark(id uint64, rec *hostRecord) error {
	row, err := rc.r.store.get(readyKey(rec.readyAt, id))
	if err == nil && row == nil {
		return fmt.Errorf("%s has requests queued and no turn", rec.name)
	}
	return err
}

func (rc *rowCheck) eachDue(k, v []byte) error {
	_, id, fp, ok := splitDueKey(k)
	if !ok {
		return errCorrupt
	}
	rc.requests.add(id, fp)
	order, row, err := splitDueRow(fp, v)
	if err != nil {
		return err
	}
	rec, err := rc.of(id)
	if err != nil {
		return err
	}
	_, err = decodeRequest(rec.name, &order, row)
	return err
}

func (rc *rowCheck) eachReady(k, _ []byte) error {
	p, ok := splitReadyKey(k)
	if !ok {
		return errCorrupt
	}
	rec, err := rc.of(p.id)
	if err == nil && rec.readyAt != p.at {
		err = fmt.Errorf("%s has a turn at a time that it does not know of", rec.name)
	}
	return err
}

func (rc *rowCheck) eachKnown(k, v []byte) error {
	if len(k) != 1+fpLen {
		return errCorrupt
	}
	rc.known.add(0, urls.Key(k[1:]))
	_, err := decodeKnown(urls.Key(k[1:]), v)
	return err
}

func (rc *rowCheck) eachContents(k, v []byte) error {
	if len(k) != 1+fpLen {
		return errCorrupt
	}
	rc.contents.add(0, urls.Key(k[1:]))
	_, err := decodeContents(v, crawler.AllLinks, nil)
	return err
}
