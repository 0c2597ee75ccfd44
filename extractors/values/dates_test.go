package values

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Of each language dates as its sites write them, and words that count from now, which
// is 11:30 on Tuesday, 10 March 2026.
var writtenDates = map[string]string{
	"en":    "Thursday, March 5, 2026 at 3 PM EST=2026-03-05T15:00:00-05:00; 5th of March 2026=2026-03-05; 3/4/2026=2026-03-04; 3/4/26=2026-03-04; yesterday=2026-03-09; the day before yesterday=2026-03-08; 2 hours ago=2026-03-10T09:30:00Z; an hour ago=2026-03-10T10:30:00Z; 1 day, 3 hours ago=2026-03-09T08:30:00Z; just now=2026-03-10T11:30:00Z; yesterday at 9:05 p.m.=2026-03-09T21:05:00Z; 3 wks ago=2026-02-17",
	"en-GB": "3/4/2026=2026-04-03; Thu 5 Mar 2026, 14:05 GMT=2026-03-05T14:05:00Z; 05-03-2026=2026-03-05",
	"de":    "3. März 2026, 14:05 Uhr=2026-03-03T14:05:00Z; Dienstag, den 3. März 2026 um 14.05 Uhr=2026-03-03T14:05:00Z; 3. März 2026 14:05 MEZ=2026-03-03T14:05:00+01:00; 5. Jänner 2026=2026-01-05; 3.4.26=2026-04-03; 3/4/2026=2026-04-03; vor 3 Tagen=2026-03-07; vor einer Stunde=2026-03-10T10:30:00Z; Vorgestern=2026-03-08; gestern um 14:00 Uhr=2026-03-09T14:00:00Z; heute, 9 Uhr=2026-03-10T09:00:00Z",
	"fr":    "le 1er mars 2026 à 14h30=2026-03-01T14:30:00Z; 12 AOUT 2025=2025-08-12; mar. 10 mars 2026=2026-03-10; Publié=; il y a 3 jours=2026-03-07; il y a une heure=2026-03-10T10:30:00Z; avant-hier=2026-03-08; aujourd’hui à 08:15=2026-03-10T08:15:00Z; 5 sept. 2025=2025-09-05; il y a 1 an=2025-03-10",
	"es":    "5 de marzo de 2026=2026-03-05; mar. 10 mar. 2026=2026-03-10; marzo 5, 2026=2026-03-05; 5 mar 2026, 2:05 p. m.=2026-03-05T14:05:00Z; hace 2 semanas=2026-02-24; anteayer=2026-03-08; hace un mes=2026-02-10; 05/03/2026=2026-03-05",
	"it":    "giovedì 5 marzo 2026, ore 14.30=2026-03-05T14:30:00Z; 1º maggio 2026=2026-05-01; un'ora fa=2026-03-10T10:30:00Z; 2 giorni fa=2026-03-08; l'altro ieri=2026-03-08; 10 mar 2026=2026-03-10",
	"pt-BR": "5 de março de 2026 às 14h30=2026-03-05T14:30:00Z; quinta-feira, 5 mar. 2026=2026-03-05; há 2 horas=2026-03-10T09:30:00Z; 2 dias atrás=2026-03-08; há 2 dias atrás=2026-03-08; ontem=2026-03-09; 05/03/2026=2026-03-05",
	"nl":    "donderdag 5 maart 2026 om 14.30 uur=2026-03-05T14:30:00Z; 5 mrt. 2026=2026-03-05; 3 dagen geleden=2026-03-07; een uur geleden=2026-03-10T10:30:00Z; eergisteren=2026-03-08; 05-03-2026=2026-03-05",
	"sv":    "den 5 mars 2026 kl. 14.30=2026-03-05T14:30:00Z; för 3 dagar sedan=2026-03-07; 2 timmar sedan=2026-03-10T09:30:00Z; i går=2026-03-09; för en timme sedan=2026-03-10T10:30:00Z",
	"da":    "5. marts 2026 kl. 14.30=2026-03-05T14:30:00Z; for 3 dage siden=2026-03-07; i forgårs=2026-03-08",
	"no":    "5. mars 2026 kl. 14:30=2026-03-05T14:30:00Z; for 3 dager siden=2026-03-07; i går=2026-03-09; lørdag 7. mars 2026=2026-03-07",
	"fi":    "torstaina 5. maaliskuuta 2026 klo 14.30=2026-03-05T14:30:00Z; 3 päivää sitten=2026-03-07; tunti sitten=2026-03-10T10:30:00Z; eilen=2026-03-09",
	"pl":    "5 marca 2026 r.=2026-03-05; środa, 10 września 2025, godz. 14:30=2025-09-10T14:30:00Z; 3 dni temu=2026-03-07; godzinę temu=2026-03-10T10:30:00Z; wczoraj=2026-03-09; 5 listopada 2025=2025-11-05",
	"cs":    "5. března 2026 v 14:30=2026-03-05T14:30:00Z; před 3 dny=2026-03-07; před hodinou=2026-03-10T10:30:00Z; včera=2026-03-09; 5. července 2025=2025-07-05; 5. června 2025=2025-06-05",
	"sk":    "5. marca 2026 o 14:30=2026-03-05T14:30:00Z; pred 3 dňami=2026-03-07; včera=2026-03-09",
	"hr":    "5. ožujka 2026. u 14:30=2026-03-05T14:30:00Z; 5. listopada 2025.=2025-10-05; prije 3 dana=2026-03-07; jučer=2026-03-09",
	"hu":    "2026. március 5.=2026-03-05; 2026. márc. 5., csütörtök 14:30=2026-03-05T14:30:00Z; 2026. 03. 05.=2026-03-05; 3 nappal ezelőtt=2026-03-07; 3 napja=2026-03-07; tegnap=2026-03-09",
	"ro":    "joi, 5 martie 2026, ora 14:30=2026-03-05T14:30:00Z; acum 3 zile=2026-03-07; acum o oră=2026-03-10T10:30:00Z; în urmă cu 2 zile=2026-03-08; ieri=2026-03-09",
	"ru":    "5 января 2026 г.=2026-01-05; 5 марта 2026 года в 14:30 МСК=2026-03-05T14:30:00+03:00; 14:30, 5 марта 2026=2026-03-05T14:30:00Z; 3 дня назад=2026-03-07; час назад=2026-03-10T10:30:00Z; вчера в 14:30=2026-03-09T14:30:00Z; 05.03.26=2026-03-05",
	"uk":    "5 березня 2026 р. о 14:30=2026-03-05T14:30:00Z; п’ятниця, 6 березня 2026=2026-03-06; 3 дні тому=2026-03-07; годину тому=2026-03-10T10:30:00Z; учора=2026-03-09",
	"bg":    "5 март 2026 г., 14:30=2026-03-05T14:30:00Z; преди 3 дни=2026-03-07; вчера=2026-03-09",
	"el":    "Πέμπτη 5 Μαρτίου 2026=2026-03-05; 5 ΜΑΡΤΙΟΥ 2026, 2:30 μ.μ.=2026-03-05T14:30:00Z; πριν από 3 ημέρες=2026-03-07; πριν μία ώρα=2026-03-10T10:30:00Z; 2 ώρες πριν=2026-03-10T09:30:00Z; χθες=2026-03-09",
	"tr":    "5 Mart 2026 Perşembe, 14:30=2026-03-05T14:30:00Z; 5 KASIM 2025=2025-11-05; 5 Haziran 2025=2025-06-05; 3 gün önce=2026-03-07; bir saat önce=2026-03-10T10:30:00Z; dün=2026-03-09; 5 Şubat 2026=2026-02-05",
	"id":    "Kamis, 5 Maret 2026 pukul 14.30 WIB=2026-03-05T14:30:00+07:00; 3 hari yang lalu=2026-03-07; 2 jam lalu=2026-03-10T09:30:00Z; sejam yang lalu=2026-03-10T10:30:00Z; kemarin=2026-03-09",
	"vi":    "5 tháng 3 năm 2026=2026-03-05; Thứ năm, ngày 5 tháng 3, 2026 lúc 14:30=2026-03-05T14:30:00Z; 5 thg 3, 2026=2026-03-05; 05/03/2026=2026-03-05; 3 ngày trước=2026-03-07; cách đây 2 giờ=2026-03-10T09:30:00Z; hôm qua=2026-03-09",
	"ar":    "٥ مارس ٢٠٢٦=2026-03-05; الخميس 5 آذار 2026=2026-03-05; 5 كانون الثاني 2026=2026-01-05; منذ 3 أيام=2026-03-07; قبل ساعتين=2026-03-10T09:30:00Z; منذ يوم=2026-03-09; أمس=2026-03-09",
	"ja":    "2026年3月5日=2026-03-05; 2026年3月5日(木) 14時30分=2026-03-05T14:30:00Z; ２０２６年３月５日 午後2時30分=2026-03-05T14:30:00Z; 3日前=2026-03-07; 2時間前=2026-03-10T09:30:00Z; 1か月前=2026-02-10; 昨日=2026-03-09; 一昨日 14:30=2026-03-08T14:30:00Z; 2026. 3. 5=2026-03-05",
	"zh":    "2026年3月5日=2026-03-05; 2026年3月5日 星期四 下午2:30=2026-03-05T14:30:00Z; 2026年3月5号14时30分15秒=2026-03-05T14:30:15Z; 3天前=2026-03-07; 2小时前=2026-03-10T09:30:00Z; 2 個月前=2026-01-10; 昨天 09:05=2026-03-09T09:05:00Z; 前天=2026-03-08; 刚刚=2026-03-10T11:30:00Z",
	"ko":    "2026년 3월 5일=2026-03-05; 2026년 3월 5일 목요일 오후 2시 30분=2026-03-05T14:30:00Z; 2026. 3. 5. 오후 2:30=2026-03-05T14:30:00Z; 3일 전=2026-03-07; 2시간전=2026-03-10T09:30:00Z; 2개월 전=2026-01-10; 어제=2026-03-09; 한 달 전=2026-02-10",
	"":      "1. März 2026=2026-03-01; 5 mars 2026=2026-03-05; 2026年3月5日=2026-03-05; 5. listopada 2025=; gestern=; 3/4/2026=; vor 3 Tagen=; 5 كانون الثاني 2026=2026-01-05; 5 tháng 3 năm 2026=2026-03-05",
	"xx":    "1. März 2026=2026-03-01; gestern=",
}

// atNow is the time of a fetch.
var atNow = time.Date(2026, 3, 10, 12, 30, 0, 0, time.FixedZone("", 3600))

func TestWrittenDates(t *testing.T) {
	for tag, cases := range writtenDates {
		l, _ := ParseLocale(tag)
		for c := range strings.SplitSeq(cases, ";") {
			text, want, _ := strings.Cut(strings.TrimSpace(c), "=")
			got, err := ParseDateIn(l, text, atNow)
			if got != want || (err == nil) != (want != "") {
				t.Errorf("%s: %q is %q, %v; want %q", tag, text, got, err, want)
			}
		}
	}
	for code := range languageNames {
		found := slices.ContainsFunc(slices.Collect(maps.Keys(writtenDates)), func(tag string) bool {
			l, _ := ParseLocale(tag)
			return l.Language == code || languageOf[l.Language] == code
		})
		if _, ok := relativeWords[code]; !ok || !found {
			t.Errorf("%s has no relative words, or no case here", code)
		}
	}
}

// What does not say a whole date, or says more, is none.
func TestNoDates(t *testing.T) {
	for _, tt := range [][2]string{
		{"de", "Mai"}, {"de", "Montag"}, {"de", "5. Mai"}, {"de", "Mai 2026"}, {"en", "soon"}, {"en", "12"}, {"en", "2026"}, {"en", "10:30"}, {"en", ""}, {"en", "\x00\xff"},
		{"de", "31.2.26"}, {"de", "31. Februar 2026"}, {"en", "published on Tuesday"}, {"en", "hours ago"}, {"en", "-3 days ago"}, {"en", "1.5 hours ago"}, {"en", "over 2 years ago"},
		{"de", "vor Tagen"}, {"de", "vor 3"}, {"de", "3 Tage"}, {"sv", "för 3 dagar"}, {"en", "99999 years ago"}, {"en", "9999 years ago"}, {"fr", "5 mars 2026 25:00"}, {"de", "5. März 2026 14:00 und mehr"},
		{"ja", "3/4/2026"}, {"en", "3.4.26"}, {"", "5. listopada 2025"}, {"", "mañana"}, {"ja", "令和8年3月5日"}, {"hu", "26. március 5."}, {"en-CA", "3/4/2026"}, {"de", "1.2-2026"}, {"de", "1.2.3.2026"}, {"de", "5. März 6. März 2026"}, {"en", "14:00 PM 5 Mars 2026"},
		{"en", "in 3 days"}, {"zh", "3月5日"}, {"fr", "5 mars 2026 +99:00"}, {"en", strings.Repeat("5 May 2026 ", 20)}, {"de", "März 5 März"},
	} {
		l, _ := ParseLocale(tt[0])
		if got, err := ParseDateIn(l, tt[1], atNow); err == nil {
			t.Errorf("%s: %q is %s", tt[0], tt[1], got)
		}
	}
	de, _ := ParseLocale("de")
	if got, err := ParseDateIn(de, "gestern", time.Time{}); err == nil {
		t.Errorf("without a time of the fetch, yesterday is %s", got)
	}
	if _, err := ParseDateIn(de, "30. Februar 2026", atNow); !errors.Is(err, errNoSuchDay) {
		t.Errorf("the 30th of February: %v", err)
	}
}

// A month back from a day that it has not is its last day.
func TestMonthsBack(t *testing.T) {
	en := Locale{Language: "en"}
	for text, want := range map[string]string{"1 month ago": "2026-02-28", "13 months ago": "2025-02-28", "2 years ago": "2024-03-31", "25 months ago": "2024-02-29"} {
		if got, err := ParseDateIn(en, text, time.Date(2026, 3, 31, 1, 0, 0, 0, time.UTC)); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", text, got, err, want)
		}
	}
}

// Every name of every month, in each order that is clear by itself, with and without a
// weekday, is read as that day, with its language and, where no other one has it for
// another month, without.
func TestMonthNames(t *testing.T) {
	codes := slices.Sorted(maps.Keys(languageNames))
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(codes).Draw(t, "language")
		n := languageNames[code]
		groups := strings.Split(n.months, "|")
		day := time.Date(rapid.IntRange(1000, 9999).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 31).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		if len(groups) != 12 {
			t.Skip("months by number")
		}
		name := strings.ReplaceAll(rapid.SampledFrom(strings.Fields(groups[day.Month()-1])).Draw(t, "name"), "_", " ")
		if rapid.Bool().Draw(t, "upper") {
			name = strings.ToUpper(name)
		}
		text := fmt.Sprintf(rapid.SampledFrom([]string{"%[1]d. %[2]s %04[3]d", "%[2]s %[1]d, %04[3]d", "%04[3]d. %[2]s %[1]d.", "%02[1]d-%[2]s-%04[3]d"}).Draw(t, "form"), day.Day(), name, day.Year())
		if rapid.Bool().Draw(t, "with weekday") {
			text = rapid.SampledFrom(append(strings.Fields(n.weekdays), "")).Draw(t, "weekday") + ", " + text
		}
		want := day.Format(time.DateOnly)
		if got, err := ParseDateIn(Locale{Language: code}, text, atNow); err != nil || got != want {
			t.Fatalf("%s: %q is %s, %v; want %s", code, text, got, err, want)
		}
		if got, err := ParseDateIn(Locale{}, text, atNow); err == nil && got != want {
			t.Fatalf("no language: %q is %s; want %s in %s", text, got, want, code)
		}
	})
}

// Words of one language do not mean two things in it.
func TestTables(t *testing.T) {
	for code, n := range languageNames {
		r := relativeWords[code]
		if groups := strings.Count(r.units, "|"); groups != 6 || strings.Count(r.days, "|") != 3 {
			t.Errorf("%s: %d units", code, groups+1)
		}
		seen := map[string]int{}
		for i, group := range strings.Split(n.months, "|") {
			for name := range strings.FieldsSeq(group) {
				plain := plainLetters(name)
				if at, ok := seen[plain]; ok && at != i {
					t.Errorf("%s: %s is two months", code, name)
				}
				seen[plain] = i
			}
		}
		clear(seen)
		for i, group := range strings.Split(r.units, "|") {
			for name := range strings.FieldsSeq(group) {
				plain := plainLetters(name)
				if at, ok := seen[plain]; ok && at != i {
					t.Errorf("%s: %s is two units", code, name)
				}
				seen[plain] = i
			}
		}
	}
}

func TestDatesConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for _, text := range []string{"vor 3 Tagen", "1. März 2026", "nie", "gestern um 14:00"} {
		wg.Go(func() {
			for range 100 {
				_, _ = ParseDateIn(Locale{Language: "de"}, text, atNow)
			}
		})
	}
	wg.Wait()
}

// FuzzParseDateIn: what a text in a language gives is a date or a time of RFC 3339, which
// reads as itself.
func FuzzParseDateIn(f *testing.F) {
	for tag, cases := range writtenDates {
		for c := range strings.SplitSeq(cases, ";") {
			text, _, _ := strings.Cut(strings.TrimSpace(c), "=")
			f.Add(tag, text)
		}
	}
	f.Fuzz(func(t *testing.T, tag, text string) {
		l, _ := ParseLocale(tag)
		got, err := ParseDateIn(l, text, atNow)
		if err != nil {
			if got != "" {
				t.Fatalf("%q with %v", got, err)
			}
			return
		}
		if again, err := ParseDate(got); err != nil || again != got {
			t.Fatalf("%s: %q is %q, which reads as %q, %v", tag, text, got, again, err)
		}
	})
}

func BenchmarkParseDateIn(b *testing.B) {
	for _, tt := range [][2]string{{"de", "3. März 2026, 14:05 Uhr"}, {"en", "3 days ago"}, {"zh", "2026年3月5日"}, {"", "5 mars 2026"}} {
		l, _ := ParseLocale(tt[0])
		b.Run(tt[1], func(b *testing.B) {
			for b.Loop() {
				if _, err := ParseDateIn(l, tt[1], atNow); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
