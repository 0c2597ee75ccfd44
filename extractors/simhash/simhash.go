package simhash

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
)

const (
	shingle  = 3      // words
	maxWords = 50_000 // of a page; what follows is not looked at
	maxWord  = 64     // bytes of a word that count
)

// Page prints the text of an HTML page. ok is false for pages of other types.
func Page(p *crawler.Page) (print uint64, words int, ok bool) {
	if !p.IsHTML() {
		return 0, 0, false
	}
	var h hasher
	read(p.Response.Body, h.text)
	return h.sum(), h.words, true
}

// Text prints a plain text.
func Text(text string) (print uint64, words int) {
	var h hasher
	h.text([]byte(text))
	return h.sum(), h.words
}

// unseen are the elements whose text no reader sees.
var unseen = map[string]bool{"script": true, "style": true, "template": true, "noscript": true, "title": true}

// read calls text with each piece of text that a reader of the page sees. Its
// title is left out: it repeats the heading, or the name of the site.
func read(body []byte, text func([]byte)) {
	z := html.NewTokenizer(bytes.NewReader(body))
	hidden := ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken:
			if name, _ := z.TagName(); hidden == "" && unseen[string(name)] {
				hidden = string(name)
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); hidden == string(name) {
				hidden = ""
			}
		case html.TextToken:
			if hidden == "" {
				text(z.Text())
			}
		}
	}
}

// hasher sums up shingles bit by bit.
type hasher struct {
	votes [64]int32
	words int
	last  [shingle]uint64 // the latest words, the last one last
}

// text adds the words of a piece of text; a word does not go on in the next.
func (h *hasher) text(text []byte) {
	for len(text) > 0 && h.words < maxWords {
		start := bytes.IndexFunc(text, unicode.IsLetter)
		if start < 0 {
			return
		}
		text = text[start:]
		end := 0
		for end < len(text) {
			r, size := utf8.DecodeRune(text[end:])
			if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && r != '\'' {
				break
			}
			end += size
		}
		h.word(text[:end])
		text = text[end:]
	}
}

func (h *hasher) word(word []byte) {
	lower := strings.ToLower(string(word[:min(len(word), maxWord)]))
	if calendar[lower] {
		return
	}
	h.words++
	copy(h.last[:], h.last[1:])
	h.last[shingle-1] = xxh3.HashString(lower)
	h.vote(mix(h.last))
}

// vote adds a shingle: each bit of its hash is for or against that bit of the
// print. A text of one word or two has shingles too, filled up with nothing.
func (h *hasher) vote(hash uint64) {
	for i := range h.votes {
		h.votes[i] += int32(hash>>i&1)*2 - 1
	}
}

func (h *hasher) sum() (print uint64) {
	for i, v := range h.votes {
		if v > 0 {
			print |= 1 << i
		}
	}
	return print
}

// mix makes one hash of a run of words.
func mix(words [shingle]uint64) uint64 {
	var b [8 * shingle]byte
	for i, w := range words {
		for j := range 8 {
			b[8*i+j] = byte(w >> (8 * j))
		}
	}
	return xxh3.Hash(b[:])
}

// calendar are the names of months and days, whole and short, in the languages
// that most of the web is written in.
var calendar = func() map[string]bool {
	names := map[string]bool{}
	for _, list := range []string{
		"january february march april may june july august september october november december",
		"jan feb mar apr jun jul aug sep sept oct nov dec",
		"monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun mo tu we th fr sa su",
		"januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mi do",
		"janvier février mars avril juin juillet août septembre octobre novembre décembre lundi mardi mercredi jeudi vendredi samedi dimanche",
		"enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre lunes martes miércoles jueves viernes sábado domingo",
		"gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre lunedì martedì mercoledì giovedì venerdì sabato domenica",
		"janeiro fevereiro março maio junho julho setembro outubro novembro dezembro segunda terça quarta quinta sexta",
		"januari februari maart mei augustus maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
		"января февраля марта апреля мая июня июля августа сентября октября ноября декабря январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
	} {
		for name := range strings.FieldsSeq(list) {
			names[name] = true
		}
	}
	return names
}()
