package item

// Top are the items that no other item has as a value, and of each circle that
// nothing else leads to, the first.
func Top(all []*Item) []*Item {
	held := map[*Item]bool{}
	for _, it := range all {
		for next := range it.inner {
			held[next] = held[next] || next != it
		}
	}
	var top []*Item
	reached := map[*Item]bool{}
	for _, alone := range []bool{true, false} {
		for _, it := range all {
			if !reached[it] && (!alone || !held[it]) {
				top = append(top, it)
				mark(it, reached)
			}
		}
	}
	return top
}

// inner yields the items that are values of this one.
func (it *Item) inner(yield func(*Item) bool) {
	for _, p := range it.Props {
		if !within(p.Values, yield) {
			return
		}
	}
}

func within(values []any, yield func(*Item) bool) bool {
	for _, v := range values {
		switch v := v.(type) {
		case *Item:
			if !yield(v) {
				return false
			}
		case []any:
			if !within(v, yield) {
				return false
			}
		}
	}
	return true
}

// mark notes what an item leads to.
func mark(it *Item, reached map[*Item]bool) {
	pending := []*Item{it}
	for len(pending) > 0 {
		it, pending = pending[len(pending)-1], pending[:len(pending)-1]
		if reached[it] {
			continue
		}
		reached[it] = true
		for next := range it.inner {
			pending = append(pending, next)
		}
	}
}

// Outermost are the items that match, at the top or within others, but not
// within one that matches; each once.
func Outermost(top []*Item, match func(*Item) bool) []*Item {
	var found []*Item
	reached := map[*Item]bool{}
	pending := make([]*Item, 0, len(top))
	for i := len(top) - 1; i >= 0; i-- {
		pending = append(pending, top[i])
	}
	for len(pending) > 0 {
		it := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if reached[it] {
			continue
		}
		reached[it] = true
		if match(it) {
			found = append(found, it)
			continue
		}
		first := len(pending)
		for next := range it.inner {
			pending = append(pending, next)
		}
		for i, j := first, len(pending)-1; i < j; i, j = i+1, j-1 { // in their order
			pending[i], pending[j] = pending[j], pending[i]
		}
	}
	return found
}
