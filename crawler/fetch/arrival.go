package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/amblecrawl/amble/crawler"
)

const (
	// ownRoom is what a body may always hold; a page like most never needs more.
	ownRoom = 64 << 10
	// leastRoom is ownRoom where many workers share little memory.
	leastRoom = 4 << 10
	// blockSize is how much of the shared room is taken at a time, and how much
	// is written at a time to a file.
	blockSize = 64 << 10
)

// room is the memory that bodies share while they arrive. Nobody ever waits for
// it: what finds none goes to a file. So a server that is slow to send what it
// has begun keeps nobody else's body from arriving, and is never kept waiting.
type room struct {
	bounded bool
	left    atomic.Int64
	own     int    // what each body may hold beyond it
	dir     string // of the files
}

func newRoom(o Options) *room {
	r := &room{bounded: o.Memory > 0, own: ownRoom, dir: o.TempDir}
	if r.bounded {
		r.own = int(min(ownRoom, max(leastRoom, o.Memory/2/int64(o.Workers))))
		r.left.Store(max(0, o.Memory-int64(r.own*o.Workers)))
	}
	return r
}

// take gets n bytes, or none.
func (r *room) take(n int64) bool {
	if !r.bounded {
		return true
	}
	if r.left.Add(-n) < 0 {
		r.left.Add(n)
		return false
	}
	return true
}

func (r *room) give(n int64) {
	if r.bounded {
		r.left.Add(n)
	}
}

// arrival is a body that is received: its beginning, then what found room in
// memory, then what did not.
type arrival struct {
	room   *room
	first  []byte
	blocks [][]byte
	file   *os.File
	size   int64
	marks  int64 // how many elements it has, by tally
	tally  func([]byte) int
}

// errSpool marks a failure to put a body aside, which is no fault of the page.
var errSpool = errors.New("putting a body aside")

// receive reads a body to its end, length being what it is said to have. Its
// elements are counted by tally.
func (r *room) receive(body io.Reader, length int64, tally func([]byte) int) (a *arrival, err error) {
	whole := &arrival{room: r, tally: tally}
	defer func() {
		if a == nil { // by an error or a panic of a decoder
			whole.drop()
		}
	}()
	if err := whole.fill(body, length); err != nil {
		return nil, err
	}
	return whole, nil
}

func (a *arrival) fill(body io.Reader, length int64) error {
	size := int64(8 << 10)
	if length >= 0 {
		size = length + 1 // to see the end without growing
	}
	a.first = make([]byte, 0, min(size, int64(a.room.own)))
	for {
		if len(a.first) == cap(a.first) {
			if len(a.first) >= a.room.own {
				break
			}
			grown := make([]byte, len(a.first), min(2*cap(a.first)+512, a.room.own))
			copy(grown, a.first)
			a.first = grown
		}
		n, err := body.Read(a.first[len(a.first):cap(a.first)])
		a.first = a.first[:len(a.first)+n]
		if err != nil {
			a.count(a.first)
			return end(err)
		}
	}
	a.count(a.first)
	return a.fillBlocks(body)
}

func (a *arrival) fillBlocks(body io.Reader) error {
	for a.room.take(blockSize) {
		block := make([]byte, blockSize)
		n, err := io.ReadFull(body, block)
		a.blocks = append(a.blocks, block[:n])
		a.count(block[:n])
		if err == io.ErrUnexpectedEOF && n < blockSize || err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return a.fillFile(body)
}

// fillFile puts the rest of the body into a file without a name.
func (a *arrival) fillFile(body io.Reader) error {
	f, err := os.CreateTemp(a.room.dir, "body-*")
	if err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	a.file = f
	_ = os.Remove(f.Name()) // where the system lets it; else when it is closed
	_, err = io.CopyBuffer(spool{a}, struct{ io.Reader }{body}, make([]byte, blockSize))
	return err
}

// spool tells its own failures from those of whom it is filled from.
type spool struct{ a *arrival }

func (s spool) Write(p []byte) (int, error) {
	n, err := s.a.file.Write(p)
	s.a.count(p[:n])
	if err != nil {
		err = fmt.Errorf("%w: %w", errSpool, err)
	}
	return n, err
}

func (a *arrival) count(p []byte) {
	a.size += int64(len(p))
	a.marks += int64(a.tally(p))
}

func end(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// whole joins what has arrived, and gives its room back.
func (a *arrival) whole() ([]byte, error) {
	defer a.drop()
	if len(a.blocks) == 0 && a.file == nil {
		return a.first, nil
	}
	body := append(make([]byte, 0, a.size), a.first...)
	for i, b := range a.blocks {
		body = append(body, b...)
		a.blocks[i] = nil
	}
	if a.file == nil {
		return body, nil
	}
	n := len(body)
	body = body[:a.size]
	if _, err := a.file.ReadAt(body[n:], 0); err != nil {
		return nil, fmt.Errorf("%w: %w", errSpool, err)
	}
	return body, nil
}

// drop gives back what the body holds.
func (a *arrival) drop() {
	a.room.give(int64(len(a.blocks)) * blockSize)
	a.blocks = nil
	if a.file != nil {
		_ = a.file.Close()
		_ = os.Remove(a.file.Name()) // there is none where it could go at once
		a.file = nil
	}
}

// hold is the link that receives the body; what is above it sees none.
type hold struct {
	next http.RoundTripper
	room *room
}

func (t hold) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	x := exchangeOf(req)
	x.status, x.header = resp.StatusCode, resp.Header
	if resp.Body == nil {
		return resp, nil
	}
	defer resp.Body.Close()
	if x.receives(resp) {
		if err := x.receive(resp.StatusCode, resp.Header, resp.ContentLength, resp.Body); err != nil {
			return nil, err
		}
		resp.Body = http.NoBody
		return resp, nil
	}
	length := resp.ContentLength
	if len(resp.Header["Content-Encoding"]) > 0 {
		length = -1
	}
	x.media = declaredType(resp.Header)
	tally := x.elements
	if tally == nil {
		tally = crawler.ElementsOf(x.media)
	}
	if x.body, err = t.room.receive(resp.Body, length, tally); err != nil {
		return nil, err
	}
	resp.Body = http.NoBody
	return resp, nil
}

// drop lets go of a body that nobody will have.
func (x *exchange) drop() {
	if x.body != nil {
		x.body.drop()
	}
}

// admit waits until the body may be in memory, and brings it there.
func (x *exchange) admit(ctx context.Context, ask func(context.Context, crawler.Arrived) error) ([]byte, error) {
	if x.body == nil {
		return nil, nil
	}
	if ask != nil {
		if err := ask(ctx, crawler.Arrived{MediaType: x.media, Size: x.body.size, Elements: x.body.marks}); err != nil {
			x.drop()
			return nil, err
		}
	}
	return x.body.whole()
}
