package crawler

// Tally keeps an account of what records are like, over a run and beyond. The
// engine keeps it as it keeps records: what the state holds of it is what the
// committed pages gave, whatever happened to the process.
//
// Note is called by many goroutines at once, the other methods by one.
type Tally interface {
	// Open takes up the account where the state left it, before the first page.
	Open(state Values) error
	// Note draws from a page what Add is to count, nil when there is nothing. It
	// may keep the values of the records, and nothing else of the page.
	Note(p *Page, r *Result) (note any)
	// Add counts notes and puts the account as it is with them into put. It takes
	// effect when committed is called, once the batch is durable; otherwise the
	// notes may come again.
	Add(notes []any, put map[string][]byte) (committed func(), err error)
	// Finish closes the account of a run that has come to its end, and puts what
	// later runs are to know of it.
	Finish(run RunState, totals Totals, put map[string][]byte) error
}

// tally counts the notes of a batch.
func (e *Engine) tally(notes []any, put map[string][]byte) (committed func(), err error) {
	if e.Tally == nil || len(notes) == 0 {
		return func() {}, nil
	}
	return e.Tally.Add(notes, put)
}
