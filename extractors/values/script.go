package values

import (
	"encoding/json"
	"strconv"
	"strings"
)

// TrimScript takes the wrappings off a script that holds JSON: comments of HTML
// around or before it, and the marks of a CDATA section.
func TrimScript(text string) string {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "<!--"); ok {
		text = rest
		if end := strings.Index(text, "-->"); end >= 0 && !strings.ContainsAny(text[:end], "{[") {
			text = text[end+len("-->"):]
		}
	}
	text = strings.TrimSpace(strings.TrimSuffix(text, "-->"))
	for _, open := range []string{"//<![CDATA[", "// <![CDATA[", "/*<![CDATA[*/", "/* <![CDATA[ */", "<![CDATA["} {
		text = strings.TrimPrefix(text, open)
	}
	for _, end := range []string{"//]]>", "// ]]>", "/*]]>*/", "/* ]]> */", "]]>", "//"} {
		text = strings.TrimSpace(strings.TrimSuffix(text, end))
	}
	return text
}

// JSONNumber is a number of a JSON document as a record holds it: int64 or
// float64, or the literal where int64 cannot hold an integer.
func JSONNumber(literal string) any {
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(literal, 64); err == nil && strings.ContainsAny(literal, ".eE") {
		return f
	}
	return json.RawMessage(literal)
}
