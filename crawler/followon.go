package crawler

// followOn turns the links of an answer that is not of the web, such as that of a
// database, into found requests. What only the config may name leads on to its like
// alone, and whatever holds for links of pages does not hold for it: the answer is
// the work of our own transport, which bounds it, there is no scope, and a next page
// is no further from the seed.
func (w *worker) followOn(l *Lease, links []Link, f *finished) {
	e := w.engine
	for _, link := range links {
		if link.URL.Scheme() != l.URL.Scheme() {
			f.outOfScope++
			e.Log.Warn("a link was left out: it is of another scheme", "url", l.URL.Redacted(), "scheme", link.URL.Scheme())
			continue
		}
		r := Request{URL: link.URL.WithoutFragment(), Key: e.Canon.Key(link.URL), Kind: link.Kind, Depth: l.Depth, Priority: link.Priority, Referrer: l.Key}
		if link.Kind == KindFile {
			r.Key, r.Carry = FileKey(r.Key), link.Carry
		}
		f.found = append(f.found, r)
		f.size += int64(len(link.URL.String())) + requestOverhead + r.heldSize()
	}
}
