package values

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// words are words of a language, and what each stands for.
type words map[string]int

func (w words) has(t token) bool {
	if !t.isWord() {
		return false
	}
	_, ok := w[t.text]
	return ok
}

// amount is a number of units before now.
type amount struct {
	n    int
	unit byte // one of unitCodes; 0: that of the word
}

// unitCodes are those of seconds, minutes, hours, days, weeks, months and years.
const unitCodes = "smhdwoy"

// dateLanguage is how a language writes dates, ready to be looked up.
type dateLanguage struct {
	months, weekdays, ignored                words
	hour, minute, second, at, before12, noon words
	year, month, day, ahead                  words
	order                                    string

	days                     [4][][]string
	units, one, past         words
	alone                    map[string]amount
	before, after, lead, now [][]string

	vocabulary words // of a language without spaces
	longest    int   // characters of its longest word
}

// dateTables are all languages, and by which words of theirs (names of months, marks
// of years and months) a text tells that it may be of them.
type dateTables struct {
	languages map[string]*dateLanguage
	telling   map[string][]*dateLanguage
}

// tablesOfDates is made when the first date needs it.
var tablesOfDates = sync.OnceValue(func() *dateTables {
	t := &dateTables{languages: map[string]*dateLanguage{}, telling: map[string][]*dateLanguage{}}
	for _, code := range slices.Sorted(maps.Keys(languageNames)) {
		n, r := languageNames[code], relativeWords[code]
		l := newDateLanguage(&n, &r)
		t.languages[code] = l
		for _, some := range []words{l.months, l.month, l.ahead} {
			for word := range some {
				t.telling[word] = append(t.telling[word], l)
			}
		}
	}
	return t
})

func newDateLanguage(n *names, r *relative) *dateLanguage {
	l := &dateLanguage{
		months: grouped(n.months), weekdays: wordsOf(n.weekdays), ignored: wordsOf(n.ignored),
		hour: wordsOf(n.hour), minute: wordsOf(n.minute), second: wordsOf(n.second), at: wordsOf(n.at),
		before12: wordsOf(n.morning), noon: wordsOf(n.afternoon),
		year: wordsOf(n.year), month: wordsOf(n.month), day: wordsOf(n.day), ahead: wordsOf(n.ahead),
		order: n.order,
		units: grouped(r.units), one: wordsOf(r.one), past: wordsOf(r.past), alone: map[string]amount{},
		before: phrases(r.before), after: phrases(r.after), lead: phrases(r.lead), now: phrases(r.now),
	}
	for i, some := range strings.Split(r.days, "|") {
		l.days[i] = phrases(some)
	}
	for entry := range strings.FieldsSeq(r.alone) {
		word, count, _ := strings.Cut(entry, ":")
		a := amount{n: int(count[0] - '0')}
		if len(count) > 1 {
			a.unit = count[1]
		}
		l.alone[plainLetters(word)] = a
	}
	if n.joined {
		l.learn()
	}
	return l
}

// grouped are words by the number of their group, from one.
func grouped(s string) words {
	w := words{}
	for i, group := range strings.Split(s, "|") {
		for word := range strings.FieldsSeq(group) {
			w[strings.ReplaceAll(plainLetters(word), "_", " ")] = i + 1
		}
	}
	return w
}

// wordsOf are the words of a text as lex finds them.
func wordsOf(s string) words {
	w := words{}
	for _, t := range lex(s) {
		if t.isWord() {
			w[t.text] = 1
		}
	}
	return w
}

// phrases are runs of words, cut at commas.
func phrases(s string) [][]string {
	var out [][]string
	for phrase := range strings.SplitSeq(s, ",") {
		var run []string
		for _, t := range lex(phrase) {
			if t.isWord() {
				run = append(run, t.text)
			}
		}
		if len(run) > 0 {
			out = append(out, run)
		}
	}
	return out
}

// learn collects the vocabulary of a language without spaces.
func (l *dateLanguage) learn() {
	l.vocabulary = words{}
	for _, some := range []words{l.weekdays, l.ignored, l.hour, l.minute, l.second, l.before12, l.noon, l.year, l.month, l.day, l.units, l.one} {
		maps.Copy(l.vocabulary, some)
	}
	for _, some := range append(l.days[:], l.before, l.after, l.now) {
		for _, phrase := range some {
			for _, word := range phrase {
				l.vocabulary[word] = 1
			}
		}
	}
	for word := range l.vocabulary {
		l.longest = max(l.longest, utf8.RuneCountInString(word))
	}
}

// cut makes the words of a text those of the language: it cuts runs of letters where
// there are no spaces, by the longest words first, and joins names of two words.
func (l *dateLanguage) cut(tokens []token) []token {
	out := make([]token, 0, len(tokens))
	for i, t := range tokens {
		if !t.isWord() {
			out = append(out, t)
			continue
		}
		if l.vocabulary != nil {
			out = append(out, l.cutWord(t)...)
			continue
		}
		if i > 0 && tokens[i-1].isWord() {
			if both := tokens[i-1].text + " " + t.text; l.months[both] > 0 {
				out[len(out)-1].text = both
				continue
			}
		}
		out = append(out, t)
	}
	return out
}

// cutWord cuts one run of letters; one that holds unknown words stays as it is.
func (l *dateLanguage) cutWord(t token) []token {
	var out []token
	rest := []rune(t.text)
	for len(rest) > 0 {
		n := min(len(rest), l.longest)
		for ; n > 0; n-- {
			if _, ok := l.vocabulary[string(rest[:n])]; ok {
				break
			}
		}
		if n == 0 {
			return []token{t}
		}
		out = append(out, token{text: string(rest[:n]), tight: len(out) > 0 || t.tight})
		rest = rest[n:]
	}
	return out
}

// says reports a word that does not change a date.
func (l *dateLanguage) says(t token) bool { return l.weekdays.has(t) || l.ignored.has(t) }
