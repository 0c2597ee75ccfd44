package download

import (
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// ManifestFields are those of a file's record, in order. Values that its link carried
// follow.
var ManifestFields = []string{"path", "bytes", "sha256", "type", "status", "reason", "detail", "deduplicated_of", "etag", "modified"}

// manifest is what a file's record says.
type manifest struct {
	name, sum, mediaType   string
	size                   int64 // -1 where it is unknown
	status, reason, detail string
	deduplicatedOf         string
	etag                   string
	modified               time.Time
}

func (m *manifest) fields(others []crawler.Field) []crawler.Field {
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	var size, modified any
	if m.size >= 0 {
		size = m.size
	}
	if !m.modified.IsZero() {
		modified = m.modified.UTC().Format(time.RFC3339)
	}
	values := []any{text(m.name), size, text(m.sum), text(m.mediaType), m.status, text(m.reason), text(m.detail), text(m.deduplicatedOf), text(m.etag), modified}
	out := make([]crawler.Field, 0, len(values)+len(others))
	for i, v := range values {
		out = append(out, crawler.Field{Name: ManifestFields[i], Value: v})
	}
	return append(out, others...)
}
