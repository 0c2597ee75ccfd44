package crawler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/amblecrawl/amble/crawler/urls"
)

// A batch is rows of a dataset that share one request. Its answer is taken apart
// again: each row gets the records that are its own, or one that says why there are
// none.

// Member is one row of a batch.
type Member struct {
	Row    uint64
	Fields []Field // its columns
	// Key, Spare and Place are as in Seed. They are not kept with the request.
	Key   string
	Spare uint64
	Place string
}

// MaxBatch bounds the values of a batch's rows, by SizeOfFields, where it has more than
// one.
const MaxBatch = 256 << 10

// BatchRule is how the answers to a batch are read.
type BatchRule struct {
	// Column is that of the rows whose value the records have in Field; "": the
	// records have the order of the rows.
	Column, Field string
	// Split has the halves asked for where the batch is refused.
	Split bool
	// Seeds makes requests of some of the batch's rows.
	Seeds func(members []Member) []Seed
}

// carryBatch is the name of the carried value that holds a batch: its rule's name,
// then the rows.
const carryBatch = "\x00batch"

// carryMembers makes what the frontier keeps of a batch.
func carryMembers(rule string, members []Member) []Field {
	list := make([]any, 0, len(members)+1)
	list = append(list, rule)
	for _, m := range members {
		list = append(list, append([]Field{{Value: int64(m.Row)}}, m.Fields...))
	}
	return []Field{{Name: carryBatch, Value: list}}
}

// members are the rows of a batch, nil where the request is none.
func (r *Request) members() (rule string, members []Member) {
	if !isBatch(r) {
		return "", nil
	}
	list, _ := r.Carry[0].Value.([]any)
	for i, item := range list {
		if i == 0 {
			rule, _ = item.(string)
			continue
		}
		fields, _ := item.([]Field)
		if len(fields) == 0 {
			continue
		}
		row, _ := fields[0].Value.(int64)
		members = append(members, Member{Row: uint64(row), Fields: notOwn(fields[1:])})
	}
	return rule, members
}

func isBatch(r *Request) bool {
	return r.Row != 0 && len(r.Carry) > 0 && r.Carry[0].Name == carryBatch
}

// whole are the rows with all of their columns.
func (r *Request) whole() []Member {
	_, members := r.members()
	list, _ := r.Carry[0].Value.([]any)
	for i := range members {
		if fields, ok := list[i+1].([]Field); ok {
			members[i].Fields = fields[1:]
		}
	}
	return members
}

// notOwn are the columns that a row's records keep.
func notOwn(fields []Field) []Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return IsOwn(f.Name) })
}

// IsOwn reports whether records have a field of the name from amble itself, so that
// a column of that name is not kept.
func IsOwn(name string) bool {
	return name == FieldError || name == FieldErrorDetail || name == "_extra" || name == carryBatch || slices.Contains(ProvenanceNames, name)
}

// batch tells the rule of a batch, which the config may have lost since.
func (e *Engine) batch(id string) (BatchRule, error) {
	if e.Batches != nil {
		if rule, ok := e.Batches(id); ok {
			return rule, nil
		}
	}
	return BatchRule{}, fmt.Errorf("the config has changed since the batch was made, and does not say how it is taken apart")
}

// join gives the records of a page of a batch's answer to its rows. more tells that it
// names a further page.
func (w *worker) join(l *Lease, f *finished, id string, members []Member, more bool) {
	e := w.engine
	before := l.handed()
	own := func(r Record) bool { return len(l.Types) > 0 && r.Type == l.Types[0] }
	items := slices.DeleteFunc(slices.Clone(f.records), func(r Record) bool { return !own(r) })
	f.records = slices.DeleteFunc(f.records, own)
	f.unanswered, f.joined = without(members, before), true
	rule, err := e.batch(id)
	if err == nil {
		f.given = make([]int, len(members))
		copy(f.given, before)
	}
	switch {
	case err != nil:
		f.unfit = err.Error()
		return
	case rule.Column == "" && more:
		f.unjoinable, f.unfit = true, "the answer goes on on a further page, and rows are joined by order to an answer of one page: join them by a column"
		return
	case len(items) == 0 && before != nil:
		f.unfit = "no page of the answer has a record of the row; the last: " + f.unfit
		return
	case len(items) == 0:
		return
	case rule.Column == "" && (len(items) != len(members) || len(f.rejects) > 0):
		f.unfit = fmt.Sprintf("the answer gave %d records for %d rows, so that they cannot be joined by order", len(items), len(members))
		return
	}
	f.unfit = "the answer has no record for the row"
	j := joining{fetched: f, members: members, given: f.given}
	if rule.Column == "" {
		for i := range items {
			j.give(&items[i], i, "")
		}
	} else if lost := j.byColumn(items, rule); lost > 0 {
		f.fieldErrors += int64(lost)
		e.Log.Warn("an answer has records of no row of its batch", "url", l.Shown(), "records", lost, "field", rule.Field)
	}
	f.unanswered = without(members, f.given)
}

// joining is the work of joining one answer.
type joining struct {
	fetched *finished
	members []Member
	given   []int // how many records each has, of this page and those before
}

// maxJoined bounds the records of one answer, where rows share a value.
const maxJoined = 50_000

// byColumn gives each record to the rows that have its value, and counts those that
// are of none.
func (j *joining) byColumn(items []Record, rule BatchRule) (lost int) {
	rows := make(map[string][]int, len(j.members))
	for i, m := range j.members {
		if text := textOfField(m.Fields, rule.Column); text != "" {
			rows[text] = append(rows[text], i)
		}
	}
	leave := ""
	if rule.Field == rule.Column {
		leave = rule.Field // the row has it
	}
	for i := range items {
		to := rows[textOfField(items[i].Fields, rule.Field)]
		if len(to) == 0 || len(j.fetched.records)+len(to) > maxJoined {
			lost++
			continue
		}
		for _, at := range to {
			j.give(&items[i], at, leave)
		}
	}
	return lost
}

// give makes a record one of a row.
func (j *joining) give(item *Record, at int, leave string) {
	m := &j.members[at]
	r := *item
	fields := r.Fields
	if leave != "" {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return f.Name == leave })
	}
	r.Fields = withColumns(m.Fields, fields)
	r.Key = RecordKey(r.Type, KeyOf(urls.Key{}, m.Row), j.given[at])
	j.given[at]++
	j.fetched.records = append(j.fetched.records, r)
	j.fetched.size += recordSize(&r)
}

// textOfField is a value as text, "" where there is none.
func textOfField(fields []Field, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return TextOf(f.Value)
		}
	}
	return ""
}

// TextOf is a value as one text: null is empty, and a list or object its JSON.
func TextOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(v)
}

// split asks for the halves of a batch that was refused, which ends at single rows.
func (w *worker) split(l *Lease, resp *Response, f *finished) (Outcome, bool) {
	id, members := l.members()
	if len(members) < 2 || !l.heads() {
		return Outcome{}, false
	}
	switch resp.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusUnprocessableEntity:
	default:
		return Outcome{}, false
	}
	rule, err := w.engine.batch(id)
	if err != nil || !rule.Split {
		return Outcome{}, false
	}
	whole, half := l.whole(), len(members)/2
	for _, part := range [][]Member{whole[:half], whole[half:]} {
		for _, s := range rule.Seeds(part) {
			r := s.request(w.engine)
			f.found = append(f.found, r)
			f.size += requestOverhead + r.heldSize()
		}
	}
	return Outcome{Class: ClassSplit, Status: resp.Status, Detail: fmt.Sprintf("status %d: its %d rows are asked for in halves", resp.Status, len(members))}, true
}
