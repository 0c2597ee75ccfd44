package jsonld

import (
	"html"
	"iter"
	"strings"

	"github.com/amblecrawl/amble/extractors/values"
)

// mended are the forms of a block that may be JSON, the likeliest first: without
// its wrappings; mended; mended with entities for characters.
func mended(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		text = strings.TrimPrefix(strings.TrimSpace(text), "\ufeff")
		text = strings.TrimSuffix(values.TrimScript(text), ";")
		if !yield(text) || !yield(relaxed(text)) {
			return
		}
		if plain := html.UnescapeString(text); plain != text {
			yield(relaxed(plain))
		}
	}
}

// relaxed is text with the faults mended that are not the parser's business.
func relaxed(text string) string {
	return string(values.RelaxJSON(mendStrings(text)))
}

// mendStrings takes needless backslashes out of strings (\' and the like), makes
// others two (C:\files), and leaves out what looks like space but is none of
// JSON's between them.
func mendStrings(text string) []byte {
	out := make([]byte, 0, len(text)+16)
	inString := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"':
			inString = !inString
		case !inString:
			if n := oddSpace(text[i:]); n > 0 {
				out = append(out, ' ')
				i += n - 1
				continue
			}
			if c == '/' && i+1 < len(text) && (text[i+1] == '/' || text[i+1] == '*') {
				end := i + commentLength(text[i:]) // quotes in it open no string
				out = append(out, '\n')
				i = end - 1
				continue
			}
		case c == '\\':
			n, keep := escape(text[i:])
			if !keep && i+1 < len(text) && text[i+1] != '\'' && text[i+1] >= ' ' {
				out = append(out, '\\', '\\') // a backslash that is meant
				continue
			}
			if !keep {
				continue
			}
			out = append(out, text[i:i+n]...)
			i += n - 1
			continue
		}
		out = append(out, c)
	}
	return out
}

// escape is the length of the escape at the start of text, if JSON has it.
func escape(text string) (n int, ok bool) {
	if len(text) < 2 {
		return 1, false
	}
	if text[1] == 'u' {
		if len(text) < 6 || strings.Trim(text[2:6], "0123456789abcdefABCDEF") != "" {
			return 2, false
		}
		return 6, true
	}
	return 2, strings.IndexByte(`"\/bfnrt`, text[1]) >= 0
}

// oddSpace is the length of a byte order mark, a no-break space or the like.
func oddSpace(text string) int {
	for _, s := range []string{"\ufeff", "\u00a0", "\u200b", "\u2028", "\u2029", "\u3000", "\v", "\f"} {
		if strings.HasPrefix(text, s) {
			return len(s)
		}
	}
	return 0
}

// commentLength is that of the comment at the start of text.
func commentLength(text string) int {
	end, behind := "\n", 0
	if text[1] == '*' {
		end, behind = "*/", 2
	}
	if i := strings.Index(text[2:], end); i >= 0 {
		return 2 + i + behind
	}
	return len(text)
}
