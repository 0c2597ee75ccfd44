package dates

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/extractors/values"
)

var now = time.Date(2026, 3, 10, 12, 30, 0, 0, time.FixedZone("", 3600))

func TestDates(t *testing.T) {
	for _, tt := range []struct{ locale, text, want string }{
		{"fr", "12 mars 2026", "2026-03-12"},
		{"fr", "le 1er mars 2026 à 14h30", "2026-03-01T14:30:00Z"},
		{"de", "3. März 2026, 14:05 Uhr", "2026-03-03T14:05:00Z"},
		{"de", "3. März 2026 14:05 MEZ", "2026-03-03T14:05:00+01:00"},
		{"de", "vor 3 Tagen", "2026-03-07"},
		{"de", "vor 2 Stunden", "2026-03-10T09:30:00Z"},
		{"de", "gestern", "2026-03-09"},
		{"de", "3.4.26", "2026-04-03"},
		{"en", "yesterday", "2026-03-09"},
		{"en", "2 hours ago", "2026-03-10T09:30:00Z"},
		{"en", "3/4/2026", "2026-03-04"},
		{"en-GB", "3/4/2026", "2026-04-03"},
		{"en-AU", "3/4/2026", "2026-04-03"},
		{"en", "March 5, 2026 at 3 PM EST", "2026-03-05T15:00:00-05:00"},
		{"es", "hace 2 semanas", "2026-02-24"},
		{"pt-BR", "5 de março de 2026", "2026-03-05"},
		{"it", "5 marzo 2026", "2026-03-05"}, {"nl", "5 maart 2026", "2026-03-05"}, {"sv", "5 mars 2026", "2026-03-05"}, {"no", "5. mars 2026", "2026-03-05"},
		{"da", "5. marts 2026", "2026-03-05"}, {"fi", "5. maaliskuuta 2026", "2026-03-05"}, {"pl", "12 września 2025", "2025-09-12"}, {"cs", "5. března 2026", "2026-03-05"},
		{"ru", "5 января 2026 г.", "2026-01-05"}, {"uk", "5 березня 2026", "2026-03-05"}, {"el", "5 Μαρτίου 2026", "2026-03-05"}, {"tr", "5 Mart 2026", "2026-03-05"},
		{"hu", "2026. március 5.", "2026-03-05"}, {"ro", "5 martie 2026", "2026-03-05"}, {"vi", "5 tháng 3 năm 2026", "2026-03-05"},
		{"ja", "2026年3月5日 14:30", "2026-03-05T14:30:00Z"}, {"zh", "3天前", "2026-03-07"}, {"ko", "2026년 3월 5일", "2026-03-05"},
		{"ar", "٥ مارس ٢٠٢٦", "2026-03-05"}, {"he", "5 במרץ 2026", "2026-03-05"}, {"hi", "5 मार्च 2026", "2026-03-05"},
	} {
		l, _ := values.ParseLocale(tt.locale)
		if got, err := Parse(l, tt.text, now); err != nil || got != tt.want {
			t.Errorf("%s: %q is %s, %v; want %s", tt.locale, tt.text, got, err, tt.want)
		}
	}
	for _, tt := range [][2]string{
		{"de", "Mai"}, {"de", "Montag"}, {"de", "5. Mai"}, {"en", "soon"}, {"en", "12"}, {"en", "2026"}, {"en", "10:30"}, {"en", ""}, {"en", "\x00\xff"},
		{"de", "31. Februar 2026"}, {"de", "31.2.2026"}, {"en", "published on Tuesday"}, {"xx", "5 May 2026"}, {"en", strings.Repeat("5 May 2026 ", 20)},
	} {
		l, _ := values.ParseLocale(tt[0])
		if got, err := Parse(l, tt[1], now); err == nil {
			t.Errorf("%s: %q is %s", tt[0], tt[1], got)
		}
	}
}

// Texts that are read without a locale mean the same with one.
func TestLocaleComesSecond(t *testing.T) {
	de, _ := values.ParseLocale("de")
	for text, want := range map[string]string{
		"2026-03-01": "2026-03-01", "1.3.2026": "2026-03-01", "Sun, 01 Mar 2026 09:30:00 GMT": "2026-03-01T09:30:00Z", "1. März 2026": "2026-03-01", "3/4/2026": "2026-04-03",
	} {
		if got, err := values.ParseDateIn(de, text, now); err != nil || got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"30.2.2026", "soon"} {
		if got, err := values.ParseDateIn(de, text, now); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// Languages that values does not know are read here, and others by values first.
func TestLibraryComesLast(t *testing.T) {
	for _, tt := range [][3]string{{"he", "5 במרץ 2026", "2026-03-05"}, {"hi", "5 मार्च 2026", "2026-03-05"}, {"fr", "5 sept 2026", "2026-09-05"}} {
		l, _ := values.ParseLocale(tt[0])
		if got, err := values.ParseDateIn(l, tt[1], now); err != nil || got != tt[2] {
			t.Errorf("%s: %q is %s, %v; want %s", tt[0], tt[1], got, err, tt[2])
		}
	}
}

// Both readers take what both can read for the same; but the library has 5.3.2026 in May
// for English, Swedish and Hungarian, whose readers would not.
func TestReadersAgree(t *testing.T) {
	for _, tt := range []struct{ locales, texts string }{
		{"de fr es it pt nl da no fi pl cs sk hr ro ru uk bg el tr id vi ar", "5.3.2026|05.03.2026 14:30|5/3/2026|13/3/2026|5.3.26"},
		{"ja zh ko hu", "2026.3.5|2026/03/05 14:30"},
		{"de", "vor 3 Tagen|vor 2 Wochen|vor 1 Monat|gestern|vorgestern|3. März 2026"},
		{"fr", "il y a 3 jours|il y a 2 semaines|hier|5 févr. 2026"}, {"es", "hace 3 días|ayer|5 de marzo de 2026"}, {"it", "3 giorni fa|ieri|5 marzo 2026"},
		{"pl", "3 dni temu|wczoraj|5 marca 2026"}, {"cs", "včera|5. července 2025"}, {"ru", "3 дня назад|вчера|5 марта 2026"}, {"uk", "вчора|5 березня 2026"},
		{"tr", "3 gün önce|dün|5 Mart 2026"}, {"ja", "3日前|2時間前|昨日"}, {"zh", "3天前|2小时前|昨天"}, {"ko", "3일 전|2시간 전|어제"}, {"nl", "3 dagen geleden|gisteren"},
	} {
		for locale := range strings.FieldsSeq(tt.locales) {
			l, _ := values.ParseLocale(locale)
			for text := range strings.SplitSeq(tt.texts, "|") {
				own, oerr := values.ParseDateIn(l, text, now)
				lib, lerr := Parse(l, text, now)
				if oerr == nil && lerr == nil && own != lib {
					t.Errorf("%s: %q is %s here, and %s in values", locale, text, lib, own)
				}
			}
		}
	}
}

func TestConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for _, text := range []string{"vor 3 Tagen", "1. März 2026", "nie", "gestern um 14:00"} {
		wg.Go(func() {
			for range 10 {
				l, _ := values.ParseLocale("de")
				_, _ = Parse(l, text, now)
			}
		})
	}
	wg.Wait()
}

// FuzzDates: no text makes it panic, and what it gives is a date or a time of RFC 3339.
func FuzzDates(f *testing.F) {
	for _, s := range []string{"vor 3 Tagen", "5 May 2026 3 PM EST", "2026年3月5日", "٥ مارس ٢٠٢٦", "31. Februar 2026", "1-2-3-4", "-1 days", "99999999999 days ago"} {
		for _, l := range []string{"de", "en-GB", "ar", "zh"} {
			f.Add(l, s)
		}
	}
	f.Fuzz(func(t *testing.T, locale, text string) {
		l, ok := values.ParseLocale(locale)
		if !ok {
			return
		}
		out, err := Parse(l, text, now)
		if err != nil {
			return
		}
		if _, derr := time.Parse(time.DateOnly, out); derr != nil {
			if _, terr := time.Parse(time.RFC3339, out); terr != nil {
				t.Errorf("%q in %s is %q", text, locale, out)
			}
		}
	})
}
