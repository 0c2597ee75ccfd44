package fetch

import (
	"maps"
	"slices"
	"testing"
)

// More texts of our own for the single-byte encodings of the matrix.
var moreTexts = map[string]string{
	"windows-1250": "Stary młynarz przyszedł rano do miasta, żeby sprzedać mąkę, ale sklep był już zamknięty. Usiadł więc na ławce przed kościołem i czekał na południe, aż ktoś przyjdzie. Dopiero wieczorem wrócił do domu, zmęczony i głodny, z pełnym wozem.",
	"windows-1253": "Το παλιό καφενείο στο λιμάνι άνοιξε ξανά μετά από πολλά χρόνια. Οι ψαράδες ήρθαν νωρίς το πρωί και κάθισαν στα ίδια τραπέζια όπου κάθονταν οι πατεράδες τους. Ο καφές ήταν πικρός, όπως τον θυμόντουσαν.",
	"windows-1254": "Eski değirmenci sabah erkenden şehre geldi, çünkü un satmak istiyordu, ama dükkân kapalıydı. Öğleye kadar caminin önündeki bankta oturdu ve birinin gelmesini bekledi. Akşam yorgun ve aç bir şekilde evine döndü.",
	"windows-1255": "בית הקפה הישן בנמל נפתח מחדש אחרי שנים רבות. הדייגים הגיעו מוקדם בבוקר וישבו ליד אותם השולחנות שבהם ישבו אבותיהם. הקפה היה מר, בדיוק כמו שזכרו אותו מאז.",
	"windows-1256": "عاد سوق الكتب القديمة إلى رصيف الميناء بعد غياب دام سبع سنوات، وجاء إليه في يومه الأول مئات من القراء الذين حملوا معهم حقائب فارغة وعادوا بها ممتلئة.",
	"koi8-r":       "Старый мельник пришёл утром в город, чтобы продать муку, но лавка была уже закрыта. Он сел на скамейку перед церковью и ждал до полудня, не придёт ли кто-нибудь.",
}

func pagesByCharset(t *testing.T) (names []string, pages map[string]string, bodies map[string][]byte) {
	t.Helper()
	all := maps.Clone(texts)
	maps.Copy(all, moreTexts)
	pages, bodies = make(map[string]string), make(map[string][]byte)
	for name, text := range all {
		pages[name] = "<!doctype html><title>t</title><p>" + text
		bodies[name] = inCharset(t, pages[name], name)
	}
	return slices.Sorted(maps.Keys(all)), pages, bodies
}

// looksLatin are encodings whose text is taken for windows-1252 where nothing is
// declared: statistics tell them from it by too little.
var looksLatin = map[string]bool{"windows-1250": true}

// A page is read by its bytes where nothing is declared.
func TestUndeclaredCharsets(t *testing.T) {
	names, pages, bodies := pagesByCharset(t)
	for _, sent := range names {
		got, as := toUTF8(bodies[sent], "text/html", "")
		if looksLatin[sent] {
			if as != "windows-1252" {
				t.Errorf("%s is read as %s: the documentation says otherwise", sent, as)
			}
			continue
		}
		if string(got) != pages[sent] {
			t.Errorf("%s: read as %s: %.80q", sent, as, got)
		}
	}
}

// Of each encoding that is sent and each that is declared: the bytes of Unicode's
// tell of themselves, whatever is declared; a claim of Unicode that is wrong counts
// for nothing; any other claim stands, since nothing tells that it is wrong.
func TestWrongClaims(t *testing.T) {
	unicode := func(name string) bool { return name == utf8Name || name == "utf-16le" || name == "utf-16be" }
	names, pages, bodies := pagesByCharset(t)
	for _, sent := range names {
		for _, said := range names {
			got, as := toUTF8(bodies[sent], "text/html", said)
			switch {
			case sent == said, unicode(sent), unicode(said) && !looksLatin[sent]:
				if string(got) != pages[sent] {
					t.Errorf("%s, declared as %s: read as %s: %.80q", sent, said, as, got)
				}
			case !unicode(said) && as != said:
				t.Errorf("%s, declared as %s: read as %s", sent, said, as)
			}
		}
	}
}

// Where a text is short, or no markup, a claim is believed longer.
func TestClaimsOfShortTexts(t *testing.T) {
	for _, c := range []struct{ name, media, declared, body, want string }{
		{"two characters that are UTF-8 too", "text/plain", "gb18030", "\xc1\xaa\xcd\xa8", "联通"},
		{"UTF-8 that is no Big5", "text/plain", "big5", "one — and then some more words", "one — and then some more words"},
		{"Chinese UTF-16 without a zero", "text/plain", "utf-16le", "\x11\x62\xec\x4e", "我们"},
		{"ASCII in UTF-16, undeclared", "text/plain", "", "a\x00b\x00c\x00d\x00", "abcd"},
		{"a stray zero", "text/plain", "windows-1252", "caf\xe9 and cr\xe8me br\xfbl\xe9e\x00.", "café and crème brûlée\x00."},
	} {
		if got, as := toUTF8([]byte(c.body), c.media, c.declared); string(got) != c.want {
			t.Errorf("%s: read as %s: %q", c.name, as, got)
		}
	}
}
