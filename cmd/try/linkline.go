package try

import (
	"strings"

	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
)

// linkLine shows a link, with what is sent, where it leads and what it carries.
func linkLine(l *crawler.Link) string {
	line := l.URL.Redacted()
	if c := l.Call; c != nil {
		if c.Method != "" {
			line = c.Method + " " + line
		}
		if c.Body != "" {
			line += "   " + format.Clip(c.Body, format.MaxDetail)
		}
	}
	if len(l.Types) > 0 {
		line += "   to " + strings.Join(l.Types, ", ")
	}
	if len(l.Carry) > 0 {
		names := make([]string, len(l.Carry))
		for i, f := range l.Carry {
			names[i] = f.Name
		}
		line += "   with " + strings.Join(names, ", ")
	}
	return line
}
