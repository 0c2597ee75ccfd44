package saved

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Change is one difference between a saved record and one of now: a member that
// differs, or the whole record where path is "". nil means that there is none.
type Change struct {
	Record    string // "book 2"
	path      string // "offer.price", "tags.3"
	want, got json.RawMessage
}

// maxAligned bounds the records of a page that are matched with each other; beyond
// it they are compared by their places.
const maxAligned = 1000

// Compare lists the differences between two lists of records, each record
// with the one that stands for it in the other list.
func Compare(want, got []Record) []Change {
	var changes []Change
	for _, p := range align(want, got) {
		var w, g Record
		name := ""
		if p.want >= 0 {
			w, name = want[p.want], title(want, p.want)
		}
		if p.got >= 0 {
			g = got[p.got]
			if name == "" {
				name = title(got, p.got)
			}
		}
		switch {
		case w == nil:
			changes = append(changes, Change{Record: name, got: g.text()})
		case g == nil:
			changes = append(changes, Change{Record: name, want: w.text()})
		default:
			changes = compareMembers(changes, name, "", w, g)
		}
	}
	return changes
}

// title names a record by its type and its number among those of the type.
func title(list []Record, i int) string {
	n := 0
	for j := range list[:i+1] {
		if list[j].kind() == list[i].kind() {
			n++
		}
	}
	return fmt.Sprintf("%s %d", list[i].kind(), n)
}

func (r Record) kind() string {
	var kind string
	for _, m := range r {
		if m.name == "_type" && json.Unmarshal(m.value, &kind) == nil {
			return kind
		}
	}
	return "record"
}

func (r Record) text() json.RawMessage {
	text, err := r.MarshalJSON()
	if err != nil {
		return json.RawMessage("null")
	}
	return text
}

// couple is a record of each list, or of one with -1 for the other.
type couple struct{ want, got int }

// align finds the longest common subsequence of equal records; what lies between
// two of them is paired in its order, type by type.
func align(want, got []Record) []couple {
	if len(want) > maxAligned || len(got) > maxAligned {
		return pairUp(want, got, couple{0, 0}, couple{len(want), len(got)}, nil)
	}
	texts := func(list []Record) []string {
		out := make([]string, len(list))
		for i := range list {
			out[i] = string(list[i].text())
		}
		return out
	}
	w, g := texts(want), texts(got)
	longest := make([][]int32, len(w)+1)
	for i := range longest {
		longest[i] = make([]int32, len(g)+1)
	}
	for i := len(w) - 1; i >= 0; i-- {
		for j := len(g) - 1; j >= 0; j-- {
			if w[i] == g[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var all []couple
	from, i, j := couple{}, 0, 0
	for i < len(w) && j < len(g) {
		switch {
		case w[i] == g[j]:
			all = pairUp(want, got, from, couple{i, j}, all)
			i, j = i+1, j+1
			from = couple{i, j}
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairUp(want, got, from, couple{len(w), len(g)}, all)
}

// pairUp pairs the records between two places.
func pairUp(want, got []Record, from, to couple, all []couple) []couple {
	taken := map[int]bool{}
	for i := from.want; i < to.want; i++ {
		c := couple{i, -1}
		for j := from.got; j < to.got; j++ {
			if !taken[j] && want[i].kind() == got[j].kind() {
				c.got, taken[j] = j, true
				break
			}
		}
		all = append(all, c)
	}
	for j := from.got; j < to.got; j++ {
		if !taken[j] {
			all = append(all, couple{-1, j})
		}
	}
	return all
}

func compareMembers(changes []Change, record, prefix string, want, got Record) []Change {
	there := map[string]json.RawMessage{}
	for _, m := range got {
		there[m.name] = m.value
	}
	for _, m := range want {
		changes = compareValues(changes, record, prefix+m.name, m.value, there[m.name])
		delete(there, m.name)
	}
	for _, m := range got {
		if v, left := there[m.name]; left {
			changes = append(changes, Change{Record: record, path: prefix + m.name, got: v})
		}
	}
	return changes
}

// compareValues goes into objects and lists as far as both have them.
func compareValues(changes []Change, record, path string, want, got json.RawMessage) []Change {
	if got != nil && first(want) == '{' && first(got) == '{' {
		var w, g Record
		if json.Unmarshal(want, &w) == nil && json.Unmarshal(got, &g) == nil {
			return compareMembers(changes, record, path+".", w, g)
		}
	}
	if got != nil && first(want) == '[' && first(got) == '[' {
		var w, g []json.RawMessage
		if json.Unmarshal(want, &w) == nil && json.Unmarshal(got, &g) == nil {
			for i := range max(len(w), len(g)) {
				var a, b json.RawMessage
				if i < len(w) {
					a = w[i]
				}
				if i < len(g) {
					b = g[i]
				}
				changes = compareValues(changes, record, path+"."+strconv.Itoa(i+1), a, b)
			}
			return changes
		}
	}
	if !sameValue(want, got) {
		changes = append(changes, Change{record, path, want, got})
	}
	return changes
}

func first(text json.RawMessage) byte {
	if t := bytes.TrimSpace(text); len(t) > 0 {
		return t[0]
	}
	return 0
}

// sameValue compares two scalars; numbers are the same however they are written.
func sameValue(want, got json.RawMessage) bool {
	if want == nil || got == nil {
		return want == nil && got == nil
	}
	var w, g any
	if decodeNumbers(want, &w) != nil || decodeNumbers(got, &g) != nil {
		return bytes.Equal(want, got)
	}
	a, isNumber := w.(json.Number)
	b, too := g.(json.Number)
	if isNumber && too {
		x, err := a.Float64()
		y, wrong := b.Float64()
		if !strings.ContainsAny(a.String()+b.String(), ".eE") { // integers beyond what a float holds
			return a == b
		}
		return a == b || err == nil && wrong == nil && x == y
	}
	return w == g
}

func decodeNumbers(text json.RawMessage, into *any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	switch (*into).(type) {
	case map[string]any, []any: // of which one has none in its place
		return fmt.Errorf("no scalar")
	}
	return nil
}

// shownValue is how much of a value is shown, in characters.
const shownValue = 100

// Lines shows a change as a person reads it.
func (c *Change) Lines() []string {
	where := c.Record
	if c.path != "" {
		where += "  " + c.path
	}
	at := 0
	if c.want != nil && c.got != nil {
		at = differ(string(c.want), string(c.got))
	}
	lines := []string{where}
	if c.want != nil {
		lines = append(lines, "  - "+window(string(c.want), at))
	}
	if c.got != nil {
		lines = append(lines, "  + "+window(string(c.got), at))
	}
	return lines
}

// differ is where two texts begin to differ, in characters.
func differ(a, b string) int {
	x, y := []rune(a), []rune(b)
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// window is the part of a long text around a place.
func window(text string, at int) string {
	r := []rune(text)
	if len(r) <= shownValue {
		return text
	}
	from := max(0, min(at-shownValue/4, len(r)-shownValue))
	to := min(len(r), from+shownValue)
	shown := string(r[from:to])
	if from > 0 {
		shown = "…" + shown
	}
	if to < len(r) {
		shown += "…"
	}
	return shown
}
