package fetch

import (
	"bytes"
	"mime"
	"net/http"
	"strings"

	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/net/http/httpguts"
)

// sniffed is how many bytes of a body its type is guessed from.
const sniffed = 3072

// mediaType reads a Content-Type: the type in lower case without parameters,
// and the charset it declares. A type that is absent, unreadable or says
// nothing is guessed from the body.
func mediaType(contentType string, body []byte) (media, declared string) {
	media, params, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if params != "" {
		declared = charsetParam(contentType, params)
	}
	major, minor, ok := strings.Cut(media, "/")
	if ok && httpguts.ValidHeaderFieldName(major) && httpguts.ValidHeaderFieldName(minor) &&
		media != "application/octet-stream" && media != "unknown/unknown" {
		return media, declared
	}
	if len(body) == 0 {
		return typeOfNothing, declared
	}
	guess := mimetype.Detect(body[:min(len(body), sniffed)]).String()
	guess, _, _ = strings.Cut(guess, ";")
	return guess, declared
}

// typeOfNothing is what an empty body of no type is taken for: nothing is text.
// Every 304 has one.
const typeOfNothing = "text/plain"

// declaredType is the type that a header says, whatever the body is.
func declaredType(h http.Header) string {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// charsetParam finds the charset, leniently where the field is malformed.
func charsetParam(contentType, params string) string {
	if _, parsed, err := mime.ParseMediaType(contentType); err == nil {
		return parsed["charset"]
	}
	return charsetAfter(params)
}

// charsetAfter finds the value after "charset=" in a string of parameters.
func charsetAfter(s string) string {
	for {
		i := indexFold([]byte(s), "charset")
		if i < 0 {
			return ""
		}
		s = strings.TrimLeft(s[i+len("charset"):], " \t\r\n\f")
		if value, ok := strings.CutPrefix(s, "="); ok {
			value = strings.TrimLeft(value, " \t\r\n\f")
			if value != "" && (value[0] == '"' || value[0] == '\'') {
				value, _, _ = strings.Cut(value[1:], value[:1])
				return value
			}
			if end := strings.IndexAny(value, "; \t\r\n\f,"); end >= 0 {
				value = value[:end]
			}
			return value
		}
	}
}

// indexFold is bytes.Index without regard to ASCII case; word is of lower case
// letters and hyphens. Most texts are searched in vain, and for most of these it is
// enough to look for the letter that texts have least of: 2 percent of a crawl.
func indexFold(s []byte, word string) int {
	rare := rarest(word)
	first := -1
	for _, letter := range [2]byte{word[rare], word[rare] - 'a' + 'A'} {
		for at := rare; at < len(s); at++ {
			next := bytes.IndexByte(s[at:], letter)
			if next < 0 {
				break
			}
			at += next
			if start := at - rare; beginsFold(s[start:], word) {
				if first < 0 || start < first {
					first = start
				}
				break
			}
		}
	}
	return first
}

// rarest is where in word the letter is that texts have least of.
func rarest(word string) int {
	for _, letter := range []byte("qjxzwvkbypgfmucdlhrsnioate") {
		if i := strings.IndexByte(word, letter); i >= 0 {
			return i
		}
	}
	return 0
}

func beginsFold(s []byte, word string) bool {
	if len(s) < len(word) {
		return false
	}
	for i := range len(word) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// isText reports whether a body of this type is text, to be had as UTF-8.
func isText(media string) bool {
	if strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || isXML(media) {
		return true
	}
	switch media {
	case "application/json", "application/x-ndjson", "application/jsonl",
		"application/javascript", "application/x-javascript", "application/ecmascript",
		"application/yaml", "application/x-yaml", "application/x-www-form-urlencoded":
		return true
	}
	return false
}

func isXML(media string) bool {
	return media == "application/xml" || media == "text/xml" || strings.HasSuffix(media, "+xml")
}

func isHTML(media string) bool {
	return media == "text/html" || media == "application/xhtml+xml"
}
