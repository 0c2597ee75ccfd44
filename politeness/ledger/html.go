package ledger

import (
	_ "embed" // for the page
	"errors"
	"fmt"
	"html/template"
	"io"
)

// ErrNoHost means that the ledger has no such host.
var ErrNoHost = errors.New("no such host in the ledger")

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"line": printable, "stamp": stamp, "gap": brief,
	"hex": func(h [16]byte) string { return fmt.Sprintf("%x", h[:4]) },
	"hundreds": func(i int) string {
		if i == 0 {
			return "no answer"
		}
		return fmt.Sprintf("%dxx", i)
	},
}).Parse(pageText))

// WriteHTML writes the page for a webmaster who asks what the crawler did at
// one host: when it came, how often, and under which rules. It is one file
// without scripts or anything to load. host is as for Report.Host; for one that
// is not there the error wraps ErrNoHost. The latest requests are listed when
// the audit traced the host.
func (r *Report) WriteHTML(w io.Writer, host string) error {
	row := r.Host(host)
	if row == nil {
		return fmt.Errorf("%s: %w", printable(host), ErrNoHost)
	}
	data := struct {
		*HostRow
		Run     RunInfo
		Busiest int64
		Trace   []Entry
		Broken  []Violation
		More    int64
		Before  *Before
	}{HostRow: row, Run: r.Run, Busiest: 1, Before: r.Before}
	for _, h := range row.Hours {
		data.Busiest = max(data.Busiest, h.Requests)
	}
	for _, v := range r.Violations {
		if v.Host == row.Host {
			data.Broken = append(data.Broken, v)
		}
	}
	data.More = row.Violations - int64(len(data.Broken))
	for _, e := range r.Trace {
		if e.Host == row.Host {
			data.Trace = append(data.Trace, e)
		}
	}
	if err := page.Execute(w, data); err != nil {
		return fmt.Errorf("ledger: page: %w", err)
	}
	return nil
}
