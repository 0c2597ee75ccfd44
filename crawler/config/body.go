package config

import (
	"encoding/json"
	"mime"
	"strings"
)

// What the environment gives is text, and no part of what it is put into: in a body that
// is JSON it is escaped within quotes, and nowhere is it taken for the place of a value,
// as a password may hold anything.

// escapeTexts writes the environment's values in the body and the address of a mapping
// anew, by what these are.
func (b *builder) escapeTexts(out *node) {
	for i := range out.entries {
		e := &out.entries[i]
		if e.value.kind != textKind || e.value.written == "" || e.value.broken {
			continue
		}
		as := asIs
		switch {
		case e.key == "url" && strings.HasPrefix(e.value.written, "http"):
			as = inURL
		case e.key == "body":
			as = bodyAs(e.value.written, contentType(out))
		}
		if as == nil {
			continue
		}
		exp, _ := expandAs(e.value.written, b.env, b.secrets, as)
		again := *e.value // others may share it
		again.text = exp.text
		e.value = &again
	}
}

var asIs func(before, value string) string

// contentType is the media type that a mapping states beside its body, "" without one.
func contentType(n *node) string {
	for _, key := range []string{"header", "headers"} {
		fields := n.get(key)
		if fields == nil {
			continue
		}
		for _, e := range fields.value.entries {
			if strings.EqualFold(e.key, "Content-Type") {
				media, _, _ := mime.ParseMediaType(e.value.text)
				return media
			}
		}
	}
	return ""
}

// bodyAs is how values stand in a body, nil for as they are.
func bodyAs(written, media string) func(before, value string) string {
	start := strings.TrimLeft(written, " \t\r\n")
	switch {
	case media == "application/x-www-form-urlencoded":
		return inURL
	case media == "application/json" || strings.HasSuffix(media, "+json"),
		media == "" && (strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[")):
		return inJSON
	}
	return nil
}

// inURL keeps places of values out of what is percent-encoded, as it means the same.
func inURL(_, value string) string { return strings.ReplaceAll(value, "{{", "%7B%7B") }

// inJSON escapes what stands within quotes.
func inJSON(before, value string) string {
	if !inQuotes(before) {
		return value
	}
	return jsonText(value)
}

// jsonText is a text as it stands within the quotes of JSON and holds no place of a value.
func jsonText(value string) string {
	quoted, _ := json.Marshal(value) // a text always is JSON
	return strings.ReplaceAll(string(quoted[1:len(quoted)-1]), "{{", `\u007b\u007b`)
}

// inQuotes reports whether JSON text ends within quotes.
func inQuotes(text string) bool {
	within := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			within = !within
		case text[i] == '\\' && within:
			i++
		}
	}
	return within
}
