package pdf

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// document is what was read of a PDF.
type document struct {
	title, author, subject, keywords, created, modified, language string

	pages int
	texts []string // of the pages that were read, in order
	wrong []error
}

// fields are those of the record of a whole document.
func (d *document) fields(e *crawler.Emitter) []crawler.Field {
	date := func(field, said string) any {
		if said == "" {
			return nil
		}
		v, err := parseDate(said)
		if err != nil {
			e.FieldError(field, said, false, err)
			return nil
		}
		return v
	}
	var text []string
	for _, t := range d.texts {
		if t != "" {
			text = append(text, t)
		}
	}
	return []crawler.Field{
		{Name: "title", Value: orNull(d.title)},
		{Name: "author", Value: orNull(d.author)},
		{Name: "subject", Value: orNull(d.subject)},
		{Name: "keywords", Value: orNull(d.keywords)},
		{Name: "created", Value: date("created", d.created)},
		{Name: "modified", Value: date("modified", d.modified)},
		{Name: "language", Value: orNull(d.language)},
		{Name: "pages", Value: int64(d.pages)},
		{Name: "text", Value: orNull(strings.Join(text, "\n\n"))},
	}
}

// pdfDate is a date as PDF has it (ISO 32000-1, 7.9.4): D:YYYYMMDDHHmmSSOHH'mm',
// anything behind the day optional.
var pdfDate = regexp.MustCompile(`^(?:D:)?(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(\d{2})?)?)?\s*(?:([+-])(\d{2})'?(?:(\d{2})'?)?|Z.*)?$`)

// parseDate reads a date as PDF has it, or in a usual form, and returns it as RFC
// 3339 writes it. A time without a zone is taken as UTC, as values.ParseDate has it.
func parseDate(s string) (string, error) {
	s = strings.TrimSpace(s)
	m := pdfDate.FindStringSubmatch(s)
	if m == nil {
		return values.ParseDate(strings.TrimPrefix(s, "D:"))
	}
	text := fmt.Sprintf("%s-%s-%s", m[1], m[2], m[3])
	if m[4] != "" {
		zero := func(s string) string { return (s + "00")[:2] }
		zone := "Z"
		if m[7] != "" && m[8]+zero(m[9]) != "0000" {
			zone = m[7] + m[8] + ":" + zero(m[9])
		}
		text += fmt.Sprintf("T%s:%s:%s%s", m[4], zero(m[5]), zero(m[6]), zone)
	}
	return values.ParseDate(text)
}

// tidyText is a page's text with its lines kept: those of PDFium end in CR LF, and
// where it has joined a word that the end of a line broke it writes U+0002 for the
// hyphen. The hyphen is put back, since it may be the word's own.
func tidyText(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		line = strings.Map(func(r rune) rune {
			switch {
			case r == 2 || r == 0xfffe:
				return '-'
			case r == '\t' || r == '\f' || r == '\r' || r == '\u00a0':
				return ' '
			case unicode.IsControl(r) || r == unicode.ReplacementChar:
				return -1
			}
			return r
		}, line)
		lines[i] = strings.TrimSpace(line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// tidyLine is a text of the document's properties on one line.
func tidyLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
