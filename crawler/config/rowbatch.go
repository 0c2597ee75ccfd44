package config

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/rows"
)

// RowBatch is how many rows share one request, and how its answer is told apart.
type RowBatch struct {
	Size      int      `yaml:"size,scalar" min:"1" max:"1000" doc:"Rows in a request at most; fewer where URL or body would grow too large."`
	Columns   []string `yaml:"columns" default:"(all)" doc:"The columns that {{rows}} has."`
	Separator string   `yaml:"separator" default:"(a comma)" doc:"What stands between the values of a column in a URL or text."`
	By        string   `yaml:"by" default:"(the key, where that is one column; else order)" doc:"The column by which the answer's records are joined to the rows; order: the first record is that of the first row and so on."`
	Field     string   `yaml:"field" default:"(the name of the column)" doc:"The field of the records that has the column's value."`
	Split     bool     `yaml:"split" default:"false" doc:"Asks again in halves, down to single rows, where a batch is refused with 400, 413, 414 or 422."`
}

// byOrder joins the answer's records to the rows in their order.
const byOrder = "order"

func (b *RowBatch) empty() bool {
	return b.Size == 0 && b.Columns == nil && b.By == "" && b.Field == "" && !b.Split
}

// BatchRule is how the answers to a batch are read, false where the config has no
// such batch any more.
func (c *Config) BatchRule(id string) (crawler.BatchRule, bool) {
	for i := range c.Seeds {
		s := &c.Seeds[i]
		if s.Rows.empty() || s.Batch.Size == 0 {
			continue
		}
		r, err := c.request(s)
		if err != nil || r.mark() != id {
			continue
		}
		rule := crawler.BatchRule{Column: s.Batch.By, Field: cmp.Or(s.Batch.Field, s.Batch.By), Split: s.Batch.Split, Seeds: r.again}
		if s.Batch.By == byOrder {
			rule.Column, rule.Field = "", ""
		}
		return rule, true
	}
	return crawler.BatchRule{}, false
}

// giver returns what makes seeds of rows: one of each, or one of many where they
// are asked for in batches. nil stands for the end of the rows. yield gets with each
// seed the number of the last row that has been made a seed with it, 0 where others
// of its batch follow.
func (r *request) giver(yield func(s crawler.Seed, last int64) bool) func(row *rows.Row) bool {
	if r.seed.Batch.Size == 0 {
		return func(row *rows.Row) bool {
			return row == nil || yield(r.seedOf(row), row.Number)
		}
	}
	b := &batching{request: r, yield: yield, keys: map[string]bool{}}
	return b.give
}

// batching gathers rows until they are enough for a request.
type batching struct {
	*request
	yield  func(crawler.Seed, int64) bool
	rows   []*rows.Row
	seeds  []crawler.Seed // what each is alone
	faults []crawler.Seed
	keys   map[string]bool
}

func (b *batching) give(row *rows.Row) bool {
	if row == nil {
		return b.flush()
	}
	s := b.single(row)
	if s.Fault == nil && s.Key != "" && b.keys[s.Key] {
		s.Carry, s.Row = carried(s.Carry), s.Spare
		s.Fault = fmt.Errorf("%s: the key %s stands twice", s.Place, s.Key)
	}
	s.Number = row.Number
	if s.Fault != nil {
		b.faults = append(b.faults, s)
	} else {
		b.keys[s.Key] = true
		b.rows, b.seeds = append(b.rows, row), append(b.seeds, s)
	}
	if len(b.rows) < b.seed.Batch.Size && len(b.faults) < b.seed.Batch.Size {
		return true
	}
	return b.flush()
}

// flush gives what was gathered. The last of it says how far the rows are.
func (b *batching) flush() bool {
	all := append(b.faults, b.batches(b.rows, b.seeds)...)
	var last int64
	for _, list := range [][]crawler.Seed{b.faults, b.seeds} {
		for i := range list {
			last = max(last, list[i].Number)
		}
	}
	b.rows, b.seeds, b.faults = nil, nil, nil
	clear(b.keys)
	for i, s := range all {
		s.Number, s.Key = 0, ""
		number := int64(0)
		if i == len(all)-1 {
			number = last
		}
		if !b.yield(s, number) {
			return false
		}
	}
	return true
}

// single is a row of a batch, which makes no request alone.
func (r *request) single(row *rows.Row) crawler.Seed {
	s := crawler.Seed{Types: []string{r.seed.Type}, Carry: slices.Clone(row.Fields), Place: r.where(row)}
	err := r.know(&s, row)
	if err == nil {
		err = row.Err
	}
	if err == nil && crawler.SizeOfValues(s.Carry) > crawler.MaxRow {
		err = errTooMuch
	}
	if err != nil {
		s.Fault = fmt.Errorf("%s: %w", s.Place, err)
		s.Carry = carried(s.Carry)
	}
	return s
}

// alone is what becomes of a row by itself, for those who look at single rows.
func (r *request) alone(row *rows.Row) crawler.Seed {
	if r.seed.Batch.Size == 0 {
		return r.seedOf(row)
	}
	s := r.single(row)
	if s.Fault != nil {
		return s
	}
	made := r.batches([]*rows.Row{row}, []crawler.Seed{s})[0]
	made.Key, made.Place = s.Key, s.Place
	return made
}

// batches makes requests of rows: one, unless that would grow too large or a row
// makes none. Then the halves are tried, down to the row that is to blame.
func (r *request) batches(list []*rows.Row, singles []crawler.Seed) []crawler.Seed {
	if len(list) == 0 {
		return nil
	}
	s := crawler.Seed{Types: []string{r.seed.Type}, Idempotent: r.seed.Idempotency, Batch: r.mark()}
	err := r.fill(&s, &rows.Batch{Rows: list, Columns: r.seed.Batch.Columns, Separator: cmp.Or(r.seed.Batch.Separator, ",")})
	id, size := r.mark(), 0
	s.Place = singles[0].Place
	for i := range singles {
		id += fmt.Sprintf(" %016x", singles[i].Row)
		size += crawler.SizeOfFields(singles[i].Carry)
		s.Members = append(s.Members, crawler.Member{
			Row: singles[i].Row, Fields: singles[i].Carry, Key: singles[i].Key, Spare: singles[i].Spare, Place: singles[i].Place,
		})
	}
	switch s.Row = rowID(id); {
	case err == nil && (size <= crawler.MaxBatch || len(list) == 1):
		return []crawler.Seed{s}
	case len(list) > 1:
		half := len(list) / 2
		return append(r.batches(list[:half], singles[:half]), r.batches(list[half:], singles[half:])...)
	}
	bad := singles[0]
	bad.Fault, bad.Carry = fmt.Errorf("%s: %w", bad.Place, err), carried(bad.Carry)
	return []crawler.Seed{bad}
}

// again makes requests of members of a batch that was refused.
func (r *request) again(members []crawler.Member) []crawler.Seed {
	list, singles := make([]*rows.Row, len(members)), make([]crawler.Seed, len(members))
	for i, m := range members {
		list[i] = &rows.Row{Fields: m.Fields}
		singles[i] = crawler.Seed{Types: []string{r.seed.Type}, Carry: m.Fields, Row: m.Row, Place: r.name}
	}
	return r.batches(list, singles)
}

// rowBatch checks the batch of a seed.
func (k *seedCheck) rowBatch(s *Seed, n *node) {
	b, at := &s.Batch, n.below([]string{"batch"})
	if b.Size <= 0 {
		if !b.empty() && at.kind == mappingKind && at.get("size") == nil { // else the size has been complained about
			k.errorf(at.place, "such as batch: {size: 100}", "seeds: the batch has no size")
		}
		return
	}
	if b.By == "" {
		b.By = byOrder
		if len(s.Key) == 1 {
			b.By = s.Key[0]
		}
	}
	if b.By == byOrder && b.Field != "" {
		k.errorf(at.below([]string{"field"}).place, "name the column under batch.by", "seeds: the answer of the batch is joined by order, which needs no field")
	}
	if next := k.at("extract", s.Type).get("next"); b.By == byOrder && next != nil {
		k.errorf(next.place, "name a column under batch.by", "the answers to batches that are joined by order have one page")
	}
}
