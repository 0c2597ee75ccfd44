package crawler

import "fmt"

// The answer to a batch may have several pages. Each page after the first is a request
// that carries the batch along, with how many records each row has been given by the
// pages before, so that keys of records go on counting and a page which is fetched
// again after a crash gives the same. Rows that have nothing yet are answered by the
// last page: the one that leads nowhere, or fails.

// carryGiven is the name of the carried value that counts the records of each row. It
// stands behind the batch, on all pages but the first.
const carryGiven = "\x00given"

// handed are how many records the rows of a batch have from the pages before, nil on
// the first page.
func (r *Request) handed() []int {
	if !isBatch(r) || len(r.Carry) < 2 || r.Carry[1].Name != carryGiven {
		return nil
	}
	list, _ := r.Carry[1].Value.([]any)
	counts := make([]int, len(list))
	for i := range list {
		n, _ := list[i].(int64)
		counts[i] = int(n)
	}
	return counts
}

// answersRows reports whether rows get a record where the request leaves them without:
// it is the one that a row stands for, or a further page of a batch.
func (r *Request) answersRows() bool { return r.heads() || r.handed() != nil }

// without are the members that have no record yet.
func without(members []Member, given []int) (none []Member) {
	for i, m := range members {
		if i >= len(given) || given[i] == 0 {
			none = append(none, m)
		}
	}
	return none
}

// continues makes a link to a further page of a batch's answer carry the batch on. It
// refuses what would not end, and a second way on.
func (w *worker) continues(l *Lease, link *Link, f *finished) bool {
	e := w.engine
	refuse := func(why string) bool {
		f.outOfScope++
		e.Log.Warn("a further page was left out: "+why, "url", l.URL.Redacted(), "to", link.URL.Redacted())
		return false
	}
	switch {
	case f.unjoinable:
		return refuse("rows that are joined by order have one page")
	case f.continued:
		return refuse("the answer to a batch of rows has one next page")
	case f.given == nil:
		return refuse("the answer was not joined to its rows")
	}
	counts := make([]any, len(f.given))
	for i, n := range f.given {
		counts[i] = int64(n)
	}
	link.Carry = []Field{l.Carry[0], {Name: carryGiven, Value: counts}}
	r := Request{Key: e.Canon.Key(link.URL)}
	link.given(&r)
	standing, err := e.Frontier.Lookup(link.URL.Origin(), r.Key)
	if err != nil {
		w.stop = fmt.Errorf("looking up a further page: %w", err)
		return false
	}
	if standing.State != "unknown" || link.URL.Fetch() == l.URL.Fetch() {
		return refuse("the answer's pages lead back to it")
	}
	f.continued = true
	return true
}
