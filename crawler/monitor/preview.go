package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Bounds of what is kept of the records that came last.
const (
	maxPreviewTypes  = 8
	maxPreviews      = 5 // of a type
	maxPreviewFields = 12
	maxPreviewValue  = 200     // bytes
	maxRead          = 4 << 10 // bytes of a value in which secrets are looked for
	previewEvery     = 250 * time.Millisecond
)

// Preview is a record as a person glances at it: its first fields, their values cut.
type Preview struct {
	URL    string         `json:"url"`
	Fields []PreviewField `json:"fields"`
	at     time.Time
}

// PreviewField is one field of a Preview.
type PreviewField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Peek is p, with a glance kept at its records: some of each type, at most four a
// second, so that it costs a crawl next to nothing. A monitor that is on no board has
// nobody who would look, and p stays as it is.
func (m *Monitor) Peek(p crawler.Pipeline) crawler.Pipeline {
	if !m.boarded {
		return p
	}
	return peeking{p, m}
}

type peeking struct {
	crawler.Pipeline
	monitor *Monitor
}

// Run implements crawler.Pipeline.
func (p peeking) Run(ctx context.Context, page *crawler.Page, r *crawler.Result) error {
	err := p.Pipeline.Run(ctx, page, r)
	if err == nil && len(r.Records) > 0 {
		p.monitor.glance(r.Records, page.URL.Redacted())
	}
	return err
}

func (m *Monitor) glance(records []crawler.Record, page string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for i := range records {
		r := &records[i]
		kept := m.latest[r.Type]
		if n := len(kept); n > 0 && now.Sub(kept[n-1].at) < previewEvery || n == 0 && len(m.latest) >= maxPreviewTypes {
			continue
		}
		if len(kept) == maxPreviews {
			kept = append(kept[:0:0], kept[1:]...) // readers may hold the old ones
		}
		m.latest[r.Type] = append(kept, m.preview(r, page, now))
	}
}

func (m *Monitor) preview(r *crawler.Record, page string, now time.Time) Preview {
	p := Preview{URL: cut(m.hide(page)), at: now, Fields: make([]PreviewField, 0, min(len(r.Fields), maxPreviewFields))}
	for i := range r.Fields {
		if i == maxPreviewFields {
			break
		}
		p.Fields = append(p.Fields, PreviewField{cut(r.Fields[i].Name), cut(m.hide(clip(shown(r.Fields[i].Value), maxRead)))})
	}
	return p
}

// shown is a value on one line. Values of many parts are not gone through to their
// ends.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.RawMessage:
		return string(v)
	case []string:
		return strings.Join(v[:min(len(v), maxPreviewFields)], ", ")
	case []any:
		parts := make([]string, 0, min(len(v), maxPreviewFields))
		for i := range cap(parts) {
			parts = append(parts, cut(shown(v[i])))
		}
		return strings.Join(parts, ", ")
	case []crawler.Field:
		parts := make([]string, 0, min(len(v), maxPreviewFields))
		for i := range cap(parts) {
			parts = append(parts, v[i].Name+": "+cut(shown(v[i].Value)))
		}
		return strings.Join(parts, "; ")
	}
	return fmt.Sprint(v)
}

// cut is a text of at most maxPreviewValue bytes, of its own memory: a page is not
// kept for a glance at it.
func cut(text string) string {
	return strings.ToValidUTF8(strings.Clone(clip(text, maxPreviewValue)), "\uFFFD")
}

func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n-len("…")], "") + "…"
}

// Latest gives some of the records that came last, by type, the newest last.
func (m *Monitor) Latest() map[string][]Preview {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string][]Preview, len(m.latest))
	for name, kept := range m.latest {
		all[name] = append([]Preview(nil), kept...)
	}
	return all
}
