package values

import (
	"regexp"
	"strings"
)

// Locale is a language and, where it matters, a region: how numbers, prices and
// dates are written there. The zero Locale knows nothing.
type Locale struct {
	Language string // in lower case, such as "de"
	Region   string // in upper case, such as "CH", or empty
}

var localeTag = regexp.MustCompile(`^([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_]([A-Za-z]{2}))?(?:[-_.@].*)?$`)

// ParseLocale reads a language tag such as de, de-CH or zh-Hant-TW (RFC 5646).
func ParseLocale(tag string) (l Locale, ok bool) {
	m := localeTag.FindStringSubmatch(strings.TrimSpace(tag))
	if m == nil {
		return l, false
	}
	return Locale{Language: strings.ToLower(m[1]), Region: strings.ToUpper(m[2])}, true
}

// Languages in which a comma is the decimal mark, and regions that differ from
// their language (Unicode CLDR).
var (
	commaLanguages = set(`af az be bg bs ca cs da de el es et eu fi fo fr gl hr hu hy id is it ka kk kl
		lb lt lv mk mn nb nl nn no pl pt ro ru sk sl sq sr sv tr tt uk uz vi`)
	pointRegions = set("de-CH de-LI it-CH es-MX es-US es-PR es-GT es-HN es-NI es-PA es-PE es-SV es-DO es-CU")
	commaRegions = set("en-ZA en-AT en-DE en-NL en-BE en-DK en-FI en-SE en-SI")
)

func set(words string) map[string]bool {
	all := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		all[w] = true
	}
	return all
}

// decimal is the mark before a fraction, 0 where that is not known.
func (l Locale) decimal() byte {
	switch full := l.Language + "-" + l.Region; {
	case l.Language == "":
		return 0
	case commaRegions[full], commaLanguages[l.Language] && !pointRegions[full]:
		return ','
	}
	return '.'
}
