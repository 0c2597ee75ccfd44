package fetch

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/saintfish/chardet"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

const utf8Name = "utf-8"

// toUTF8 converts text and names the encoding it was in. It never fails: what
// cannot be read becomes U+FFFD.
//
// The encoding is the first of: a byte order mark (WHATWG Encoding section 6),
// the header, the <meta> of HTML or the declaration of XML, UTF-8 when most of
// what is not ASCII is valid in it, statistics, windows-1252. Two claims are
// overruled, because the bytes disprove them: a claim of UTF-8 or UTF-16 when
// most of what is not ASCII cannot be that, and a claim of another encoding when
// the text is valid multi-byte UTF-8 throughout or has the zeros of UTF-16.
func toUTF8(body []byte, media, declared string) ([]byte, string) {
	if enc, name, size := byteOrderMark(body); enc != nil {
		return convert(body[size:], enc, name)
	}
	enc, name := known(declared)
	if enc == nil {
		enc, name = known(declaredInside(body, media))
		if strings.HasPrefix(name, "utf-16") && !looksUTF16(body) {
			// It was read as ASCII, so it is none (HTML section 13.2.3.2).
			enc, name = known(utf8Name)
		}
	}
	if enc == nil || disproved(body, media, enc, name) {
		enc, name = detect(body, media)
	}
	return convert(body, enc, name)
}

func byteOrderMark(body []byte) (encoding.Encoding, string, int) {
	for _, mark := range []struct{ bytes, name string }{
		{"\xef\xbb\xbf", utf8Name}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"},
	} {
		if len(body) >= len(mark.bytes) && string(body[:len(mark.bytes)]) == mark.bytes {
			enc, name := known(mark.name)
			return enc, name, len(mark.bytes)
		}
	}
	return nil, "", 0
}

// known looks a label up as the web does. The encodings that the web replaces
// by a single U+FFFD, to protect browsers, count as unknown.
func known(label string) (encoding.Encoding, string) {
	if label == "" {
		return nil, ""
	}
	if strings.EqualFold(strings.TrimSpace(label), "utf8mb4") {
		label = utf8Name
	}
	enc, name := charset.Lookup(label)
	switch name {
	case "replacement":
		return nil, ""
	case "x-user-defined":
		return charset.Lookup("windows-1252")
	}
	return enc, name
}

// declaredInside reads what the text says of itself.
func declaredInside(body []byte, media string) string {
	if isXML(media) || isHTML(media) {
		if name := xmlDeclaration(body); name != "" {
			return name
		}
	}
	if isHTML(media) {
		return metaCharset(body)
	}
	return ""
}

// xmlDeclaration reads <?xml ... encoding="..."?>, or the family of encodings
// from the shape of its first bytes (XML 1.0 appendix F).
func xmlDeclaration(body []byte) string {
	head := body[:min(len(body), 256)]
	switch {
	case bytes.HasPrefix(head, []byte("<\x00?\x00")):
		return "utf-16le"
	case bytes.HasPrefix(head, []byte("\x00<\x00?")):
		return "utf-16be"
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return ""
	}
	head, _, ok := bytes.Cut(head, []byte("?>"))
	_, after, found := bytes.Cut(head, []byte("encoding"))
	after = bytes.TrimLeft(after, " \t\r\n")
	if !ok || !found || len(after) == 0 || after[0] != '=' {
		return ""
	}
	after = bytes.TrimLeft(after[1:], " \t\r\n")
	if len(after) < 2 || after[0] != '"' && after[0] != '\'' {
		return ""
	}
	name, _, _ := bytes.Cut(after[1:], after[:1])
	return string(name)
}

// disproved reports whether the bytes cannot be what was claimed.
func disproved(body []byte, media string, enc encoding.Encoding, name string) bool {
	order := utf16Order(body)
	switch {
	case strings.HasPrefix(name, "utf-16"):
		if order != "" {
			return name != order
		}
		// Markup is ASCII, of which each character has a zero in UTF-16.
		return !looksUTF16(body) && (utf8.Valid(body) || isHTML(media) || isXML(media))
	case order != "":
		return true
	case name == utf8Name:
		return !utf8.Valid(body) && !mostlyUTF8(body)
	case singleByte(name):
		return utf8.Valid(body) && !ascii(body)
	case name == "iso-2022-jp":
		return false // its text is ASCII by its bytes
	}
	return utf8.Valid(body) && (manyRunes(body) || !readable(body, enc))
}

// manyRunes reports so many characters of several bytes that a text in an East Asian
// encoding is not valid UTF-8 by chance.
func manyRunes(body []byte) bool {
	const enough = 16
	count := 0
	for _, b := range body {
		if b >= 0xc0 {
			if count++; count == enough {
				return true
			}
		}
	}
	return false
}

// utf16Order names the byte order of text that has the zeros of UTF-16: before or
// behind at least every fourth character, and hardly any on the other side. It is
// "" for other text.
func utf16Order(body []byte) string {
	head := body[:min(len(body), 1024)&^1]
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch least := max(len(head)/8, 1); {
	case zeros[0] >= least && zeros[1]*16 < zeros[0]:
		return "utf-16be"
	case zeros[1] >= least && zeros[0]*16 < zeros[1]:
		return "utf-16le"
	}
	return ""
}

// mostlyUTF8 reports whether a text that is not valid UTF-8 is still more
// that than anything else: a page cut within a character, or with a line of
// another encoding pasted in, stays what it says.
func mostlyUTF8(body []byte) bool {
	good, bad := 0, 0
	for len(body) > 0 {
		r, size := utf8.DecodeRune(body)
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 1:
			good++
		}
		body = body[size:]
	}
	return good > bad
}

// looksUTF16 reports NUL bytes, which ASCII's half of UTF-16 is full of and
// text in other encodings has none of.
func looksUTF16(body []byte) bool {
	return bytes.IndexByte(body[:min(len(body), 1024)], 0) >= 0
}

func singleByte(name string) bool {
	return strings.HasPrefix(name, "windows-125") || strings.HasPrefix(name, "iso-8859-") ||
		strings.HasPrefix(name, "koi8-") || name == "macintosh" || name == "x-mac-cyrillic" ||
		name == "ibm866" || name == "windows-874"
}

func ascii(body []byte) bool {
	for _, b := range body {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// detect chooses an encoding for text that declares none.
func detect(body []byte, media string) (encoding.Encoding, string) {
	if order := utf16Order(body); order != "" {
		return known(order)
	}
	if utf8.Valid(body) || mostlyUTF8(body) {
		return known(utf8Name)
	}
	const sample = 16 << 10
	d := chardet.NewTextDetector()
	if isHTML(media) || isXML(media) {
		d = chardet.NewHtmlDetector() // leaves the tags out
	}
	head := body[:min(len(body), sample)]
	guesses, _ := d.DetectAll(head)
	best, bestName, confidence := encoding.Encoding(charmap.Windows1252), "windows-1252", 9
	for _, g := range guesses {
		enc, name := known(strings.Replace(g.Charset, "GB-18030", "gb18030", 1))
		if enc == nil || g.Confidence < confidence || name == utf8Name || strings.HasPrefix(name, "utf-16") {
			continue
		}
		// Equals come in no certain order.
		if g.Confidence == confidence && name >= bestName || !readable(head, enc) {
			continue
		}
		best, bestName, confidence = enc, name, g.Confidence
	}
	if singleByte(bestName) && sameText(head, best, charmap.Windows1252) {
		return known("windows-1252") // its neighbours differ in letters that do not occur
	}
	return best, bestName
}

func sameText(sample []byte, a, b encoding.Encoding) bool {
	x, errA := a.NewDecoder().Bytes(sample)
	y, errB := b.NewDecoder().Bytes(sample)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// readable reports whether the sample, but for a character cut at its end,
// means something in the encoding throughout. C1 controls mean nothing.
func readable(sample []byte, enc encoding.Encoding) bool {
	text, err := enc.NewDecoder().Bytes(sample)
	if err != nil {
		return false
	}
	i := bytes.IndexFunc(text, func(r rune) bool { return r == utf8.RuneError || 0x80 <= r && r < 0xa0 })
	return i < 0 || len(text)-i <= 4*utf8.UTFMax
}

// convert decodes; text that is UTF-8 already is not copied.
func convert(body []byte, enc encoding.Encoding, name string) ([]byte, string) {
	switch {
	case name == utf8Name && utf8.Valid(body):
		return body, name
	case name == utf8Name:
		return bytes.ToValidUTF8(body, []byte("\uFFFD")), name
	case ascii(body) && name != "iso-2022-jp" && !strings.HasPrefix(name, "utf-16"):
		return body, name
	}
	text, err := enc.NewDecoder().Bytes(body)
	if err != nil {
		return bytes.ToValidUTF8(body, []byte("\uFFFD")), name
	}
	return text, name
}
