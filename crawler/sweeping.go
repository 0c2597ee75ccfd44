package crawler

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/amblecrawl/amble/crawler/urls"
)

// sweepStep is how many known pages are looked at before what they need is
// committed.
const sweepStep = 1000

// sweep looks, at the end of a run, for known pages that nothing has led to. Those
// that the config leaves out now are gone, others are asked for when they are due.
// more tells that there is something to ask for. A run that was cut short has not
// seen where its pages lead, and looks for none.
func (c *committer) sweep(ctx context.Context) (more bool, err error) {
	e := c.engine
	if stats := e.Frontier.Stats(); !e.set.Revisit.On || stats.Seen != stats.Settled {
		return false, nil
	}
	var after urls.Key
	for {
		step, err := e.unlinked(after)
		if err != nil {
			return false, fmt.Errorf("looking for known pages: %w", err)
		}
		for i := range step.lost {
			if step.lost[i], err = e.settleUnlinked(&step.pages[i]); err != nil {
				return false, err
			}
			more = more || len(step.lost[i].found) > 0
			c.add(step.lost[i])
			if c.full() {
				if err := c.flush(ctx); err != nil {
					return false, err
				}
			}
		}
		if err := c.flush(ctx); err != nil {
			return false, err
		}
		if err := ctx.Err(); err != nil || step.ended {
			return more && err == nil, nil
		}
		after = step.last
	}
}

// swept is one step of a sweep.
type swept struct {
	pages []Known    // nothing has led to
	lost  []finished // one for each
	last  urls.Key
	ended bool
}

func (e *Engine) unlinked(after urls.Key) (s swept, err error) {
	looked := 0
	s.ended = true
	err = e.Frontier.EachKnown(after, func(k *Known) (bool, error) {
		if !e.Frontier.Seen(k.Request.Key) {
			standing, err := e.Frontier.Lookup(k.Request.Host(), k.Request.Key)
			if err != nil {
				return false, err
			}
			if standing.State == "unknown" {
				s.pages = append(s.pages, *k)
			}
		}
		s.last = k.Request.Key
		looked++
		s.ended = looked < sweepStep
		return looked < sweepStep, nil
	})
	s.lost = make([]finished, len(s.pages))
	return s, err
}

// settleUnlinked is what is done about a page that nothing led to.
func (e *Engine) settleUnlinked(k *Known) (f finished, err error) {
	in := e.Scope.Check(k.Request.URL, int(k.Request.Depth)).In
	if in && !k.Seed && !e.set.Revisit.DropUnlinked {
		r := k.Request
		r.Unlinked = true
		f.found = []Request{r}
		return f, nil
	}
	contents, err := e.Frontier.Contents(k.Request.Key, NoLinks)
	if err != nil || contents == nil {
		return f, fmt.Errorf("reading what is known of a page: %w", err)
	}
	e.bury(&f, k.Request.Key, contents)
	f.revisit.Unlinked++
	return f, nil
}

// A run that writes changes replaces records which earlier runs have written. Of a
// batch that a crash took back, a destination may have lost these without having
// anything in their place: the page might give, when it is fetched again, what is
// known of it, and so no change. Therefore the records that a batch replaces are
// noted before it is written, and written in any case by the run that finds the note.

// keyRewrites is where that is noted.
const keyRewrites = KeyRevisit + "rewrites"

// rewrites are the records that were about to be replaced, by their page.
type rewrites struct {
	mu    sync.Mutex
	pages map[urls.Key][]string
}

func (r *rewrites) has(page urls.Key, record string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.pages[page], record)
}

// note adds what a batch is about to replace; changed tells whether that is new.
func (r *rewrites) note(pages []finished) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range pages {
		f := &pages[i]
		for _, key := range f.rewritten {
			if !slices.Contains(r.pages[f.page()], key) {
				if r.pages == nil {
					r.pages = map[urls.Key][]string{}
				}
				r.pages[f.page()] = append(r.pages[f.page()], key)
				changed = true
			}
		}
	}
	return changed
}

// settled takes back the notes of pages that were committed.
func (r *rewrites) settled(pages []finished) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range pages {
		delete(r.pages, pages[i].page())
	}
}

// value is what is kept of the notes without those of some pages, nil for nothing.
func (r *rewrites) value(without []finished) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := map[string][]string{}
	for page, keys := range r.pages {
		left[hex.EncodeToString(page[:])] = keys
	}
	for i := range without {
		page := without[i].page()
		delete(left, hex.EncodeToString(page[:]))
	}
	if len(left) == 0 {
		return nil, nil
	}
	return json.Marshal(left)
}

func (r *rewrites) read(state Values) error {
	var noted map[string][]string
	if _, err := getJSON(state, keyRewrites, &noted); err != nil {
		return err
	}
	r.pages = map[urls.Key][]string{}
	for text, keys := range noted {
		var page urls.Key
		if _, err := hex.Decode(page[:], []byte(text)); err != nil || len(text) != 2*len(page) {
			return fmt.Errorf("reading %s from the state: %w: %q is no key", keyRewrites, ErrStop, text)
		}
		r.pages[page] = keys
	}
	return nil
}

// page is the key of what was finished, zero without one.
func (f *finished) page() urls.Key {
	if f.lease == 0 {
		return f.forget
	}
	return f.outcome.Key
}

// noteRewrites notes what a batch is about to replace, durably, and puts what is
// left of the notes with the batch itself.
func (c *committer) noteRewrites(ctx context.Context, pages []finished, put map[string][]byte) error {
	e := c.engine
	if !e.changes {
		return nil
	}
	if e.rewrites.note(pages) {
		value, err := e.rewrites.value(nil)
		if err != nil {
			return err
		}
		if _, err := e.Frontier.Commit(ctx, &Batch{Put: map[string][]byte{keyRewrites: value}}); err != nil {
			return fmt.Errorf("noting what is replaced: %w", err)
		}
	}
	var err error
	put[keyRewrites], err = e.rewrites.value(pages)
	return err
}
