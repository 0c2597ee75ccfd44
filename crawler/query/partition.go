package query

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"sort"
	"strconv"
	"strings"
	"time"
)

// MaxPartitions bounds a range: more of them are a mistake in its step.
const MaxPartitions = 10_000_000

// Range gives a parameter the values from From to To, by steps.
type Range struct {
	Param *Param
	// Until is the parameter that gets where a step ends, which is not part of it
	// any more; nil where the query asks for single values.
	Until    *Param
	From, To string // canonical; To is the last value, of a datetime the end
	Step     string
}

// step is an amount of whatever a type counts in.
type step struct {
	n                   int64
	years, months, days int
	length              time.Duration
}

var errStep = map[Type]error{
	Integer:  errors.New("want a whole number above 0"),
	Date:     errors.New("want days, weeks, months or years, such as 1d, 2w, 1mo or 1y"),
	DateTime: errors.New("want a length such as 6h or 15m, or 1d, 1w, 1mo, 1y"),
}

// calendar is the units that are longer than a length can tell.
var calendar = []struct {
	unit string
	of   func(n int) step
}{
	{"mo", func(n int) step { return step{months: n} }},
	{"y", func(n int) step { return step{years: n} }},
	{"w", func(n int) step { return step{days: 7 * n} }},
	{"d", func(n int) step { return step{days: n} }},
}

func parseStep(t Type, s string) (step, error) {
	s = strings.TrimSpace(s)
	if t == Integer {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 {
			return step{n: n}, nil
		}
		return step{}, errStep[t]
	}
	for _, c := range calendar {
		digits, ok := strings.CutSuffix(s, c.unit)
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(digits)); err == nil && n > 0 && n <= 100_000 {
			return c.of(n), nil
		}
	}
	if d, err := time.ParseDuration(s); t == DateTime && err == nil && d > 0 {
		return step{length: d}, nil
	}
	return step{}, errStep[t]
}

// CheckStep reports what is wrong with a step for this type.
func CheckStep(t Type, s string) error {
	_, err := parseStep(t, s)
	return err
}

// Ranged reports whether a type has steps.
func Ranged(t Type) bool { return errStep[t] != nil }

// Values yields what each step gives the parameters. It has been checked: a range
// that cannot be read yields its error.
func (r *Range) Values() iter.Seq2[map[string]string, error] {
	return func(yield func(map[string]string, error) bool) {
		s, err := parseStep(r.Param.Type, r.Step)
		if err != nil {
			yield(nil, fmt.Errorf("the step %s: %w", r.Step, err))
			return
		}
		if r.Param.Type == Integer {
			r.integers(s.n, yield)
			return
		}
		r.times(s, yield)
	}
}

func (r *Range) put(from, until string) map[string]string {
	v := map[string]string{r.Param.Name: from}
	if r.Until != nil {
		v[r.Until.Name] = until
	}
	return v
}

func (r *Range) integers(n int64, yield func(map[string]string, error) bool) {
	from, err := strconv.ParseInt(r.From, 10, 64)
	to, err2 := strconv.ParseInt(r.To, 10, 64)
	if err = errors.Join(err, err2); err != nil {
		yield(nil, err)
		return
	}
	for v := from; v <= to; v += n {
		end := to
		last := to-v < n || v+n < v
		if !last {
			end = v + n - 1
		}
		if !yield(r.put(strconv.FormatInt(v, 10), strconv.FormatInt(saturated(end), 10)), nil) || last {
			return
		}
	}
}

// saturated is one more, as far as there is one.
func saturated(n int64) int64 {
	if n+1 < n {
		return n
	}
	return n + 1
}

// span is where a range of times begins, and where it ends, which is not part of it.
func (r *Range) span() (from, end time.Time, err error) {
	a, err := r.Param.Type.parse(r.From)
	b, err2 := r.Param.Type.parse(r.To)
	if err = errors.Join(err, err2); err != nil {
		return from, end, err
	}
	from, end = a.(time.Time), b.(time.Time)
	if r.Param.Type == Date {
		end = end.AddDate(0, 0, 1)
	}
	return from, end, nil
}

func (r *Range) times(s step, yield func(map[string]string, error) bool) {
	from, end, err := r.span()
	if err != nil {
		yield(nil, err)
		return
	}
	layout := time.RFC3339Nano
	if r.Param.Type == Date {
		layout = time.DateOnly
	}
	for i := 0; ; i++ {
		v, next := s.after(from, i), s.after(from, i+1)
		if !v.Before(end) {
			return
		}
		if next.After(end) {
			next = end
		}
		if !yield(r.put(v.Format(layout), next.Format(layout)), nil) {
			return
		}
	}
}

// after is where the ith step begins. It counts from the start, so that months
// from the 31st do not drift.
func (s step) after(from time.Time, i int) time.Time {
	if s.length > 0 {
		// A Duration holds 292 years, which a range may exceed.
		seconds, rest := int64(i)*int64(s.length/time.Second), int64(i)*int64(s.length%time.Second)
		return time.Unix(from.Unix()+seconds, int64(from.Nanosecond())+rest).In(from.Location())
	}
	months := from.Year()*12 + int(from.Month()) - 1 + i*(12*s.years+s.months)
	year, month := months/12, time.Month(months%12+1)
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	at := time.Date(year, month, min(from.Day(), last), from.Hour(), from.Minute(), from.Second(), from.Nanosecond(), time.UTC)
	return at.AddDate(0, 0, i*s.days)
}

// Count is how many steps a range has, MaxPartitions+1 where it has more.
func (r *Range) Count() int {
	s, err := parseStep(r.Param.Type, r.Step)
	if err != nil { // which Values tells
		return 1
	}
	if r.Param.Type == Integer {
		from, err := strconv.ParseInt(r.From, 10, 64)
		to, err2 := strconv.ParseInt(r.To, 10, 64)
		switch {
		case err != nil || err2 != nil:
			return 1
		case to < from:
			return 0
		default: // values need not be made to be counted
			return int(min((uint64(to)-uint64(from))/uint64(s.n), MaxPartitions)) + 1
		}
	}
	from, end, err := r.span()
	if err != nil {
		return 1
	}
	within := func(i int) bool { return s.after(from, i).Before(end) }
	most := 1 // steps, as far as they can be beyond the end: the next power of two
	for most <= MaxPartitions && within(most) {
		most *= 2
	}
	return sort.Search(min(most, MaxPartitions+1), func(i int) bool { return !within(i) })
}

// With joins the values of a partition to those that all partitions share.
func With(shared, own map[string]string) map[string]string {
	all := maps.Clone(shared)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, own)
	return all
}
