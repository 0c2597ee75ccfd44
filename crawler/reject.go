package crawler

import "github.com/amblecrawl/amble/crawler/urls"

// Reject is a record that was kept out of the outputs, and why. Its provenance is
// that of a record, and so is the care that is taken of it: it goes, once, to the
// sinks that take rejects.
type Reject struct {
	Record             // its fields as far as they were read; nil when nothing is known of them
	Problems []Problem // at least one
}

// Problem is one reason to reject a record.
type Problem struct {
	Field  string // "" when it is not that of one field; "address.city" in a nested one
	Value  string // as found, cut to 200 bytes
	Source string // where the field is read from, such as its selector; "" when that is not known
	Err    error
}

// maxProblems bounds what is said of one reject, maxRejectErrors what the rejects
// of one page add to its errors.
const (
	maxProblems     = 20
	maxRejectErrors = 1000
)

// Account is a reject as the sinks write it: the first reason with its field,
// selector and value, then all reasons where there are several, then the record.
func (r *Reject) Account() Record {
	out := r.Record
	out.Fields = nil
	if len(r.Problems) > 0 {
		out.Fields = r.Problems[0].fields()
	}
	if len(r.Problems) > 1 {
		var all []any
		for _, p := range r.Problems {
			all = append(all, p.fields())
		}
		out.Fields = append(out.Fields, Field{Name: "problems", Value: all})
	}
	if r.Fields != nil {
		out.Fields = append(out.Fields, Field{Name: "record", Value: r.Fields})
	}
	return out
}

func (p *Problem) fields() []Field {
	fields := []Field{{Name: "reason", Value: p.Err.Error()}}
	for _, f := range []struct{ name, value string }{{"field", p.Field}, {"selector", p.Source}, {"value", p.Value}} {
		if f.value != "" {
			fields = append(fields, Field{Name: f.name, Value: f.value})
		}
	}
	return fields
}

// RejectKey names the nth reject of a type on a page that has no record's key of
// its own, since it never was one.
func RejectKey(recordType string, page urls.Key, n int) string {
	return RecordKey("reject of "+recordType, page, n)
}

// Reject reports a record that is not to be written, with its fields as far as
// they were read, and why. Each problem counts as a value that was not as asked.
func (e *Emitter) Reject(fields []Field, problems ...Problem) {
	e.result.Reject(Record{Type: e.recordType, Fields: fields, URL: e.url}, problems)
}

// Reject adds a reject. Each problem counts as a value that was not as asked.
func (r *Result) Reject(record Record, problems []Problem) {
	problems = problems[:min(len(problems), maxProblems)]
	for i := range problems {
		p := &problems[i]
		p.Value = excerpt(p.Value)
		if len(r.Errors) < maxRejectErrors {
			r.Errors = append(r.Errors, RecordError{
				Type: record.Type, Field: p.Field, Value: p.Value, URL: record.URL, Dropped: true, Err: p.Err,
			})
		}
	}
	r.Rejects = append(r.Rejects, Reject{Record: record, Problems: problems})
}

// Sourcer is an optional interface of extractors that know where their fields are
// read from: "css .price", say. Rejects and alarms name it.
type Sourcer interface{ FieldSource(field string) string }
