package config

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// secrets are the values that came from the environment. They stand in no message.
type secrets struct {
	values []secret
	texts  []secret // of the config that hold short ones
}

type secret struct {
	value, name string
	spelt       bool // another spelling of a value
}

func (s *secrets) add(value, name string) {
	if value == "" {
		return
	}
	s.values = append(s.values, secret{value: value, name: name})
	s.addSpelling(value, quotedText(value), name)
	s.values = longestFirst(s.values)
}

// addSpelling adds another spelling of a value.
func (s *secrets) addSpelling(value, text, name string) {
	if text != value {
		s.values = longestFirst(append(s.values, secret{text, name, true}))
	}
}

// quotedText is a text as messages quote it, without the quotes.
func quotedText(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// addText adds a text of the config with values in it, and as it is written there.
func (s *secrets) addText(value, written string) {
	if value != "" {
		s.texts = longestFirst(append(s.texts, secret{value: value, name: written}))
	}
}

// longestFirst has one value inside another leave no rest.
func longestFirst(values []secret) []secret {
	slices.SortStableFunc(values, func(a, b secret) int { return len(b.value) - len(a.value) })
	return slices.Compact(values)
}

// everywhere puts the variables' names in the place of their values, wherever these are
// found: a text in which they do not count.
func (s *secrets) everywhere(text string) string {
	if s == nil || len(s.values) == 0 || text == "" {
		return text
	}
	// One pass, so that a name put in is not searched for values again.
	pairs := make([]string, 0, 2*len(s.values))
	for _, v := range s.values {
		pairs = append(pairs, v.value, v.name)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// hide puts the variables' names in the place of their values in a message. A short value
// is found in many words that have nothing to do with it: it is hidden where it stands
// for itself, and where a whole text of the config does that it is a part of.
func (s *secrets) hide(text string) string {
	if s == nil || len(s.values) == 0 || text == "" {
		return text
	}
	var out strings.Builder
	last := 0
	for at := 0; at < len(text); {
		v, ok := s.at(text, at)
		if !ok {
			at++
			continue
		}
		out.WriteString(text[last:at])
		out.WriteString(v.name)
		at += len(v.value)
		last = at
	}
	if last == 0 {
		return text
	}
	out.WriteString(text[last:])
	return out.String()
}

// at is the value that is to be hidden at a place of a text.
func (s *secrets) at(text string, at int) (secret, bool) {
	for _, list := range [][]secret{s.texts, s.values} {
		for _, v := range list {
			if strings.HasPrefix(text[at:], v.value) && standsAlone(text, at, len(v.value)) {
				return v, true
			}
		}
	}
	return secret{}, false
}

// leastWord is the shortest value that is hidden where it stands as a word; a shorter one
// is a word of our own too often ("no", "1"), and must stand where values do.
const leastWord = 4

// standsAlone reports whether what stands there is the value, and no part of a word.
func standsAlone(text string, at, length int) bool {
	if length >= leastHidden {
		return true
	}
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	first, _ := utf8.DecodeRuneInString(text[at:])
	end, _ := utf8.DecodeLastRuneInString(text[:at+length])
	after, _ := utf8.DecodeRuneInString(text[at+length:])
	if at > 0 && inWord(before) && inWord(first) || at+length < len(text) && inWord(end) && inWord(after) {
		return false
	}
	return length >= leastWord || length == len(text) || at > 0 && strings.ContainsRune(`=:"'/@`, before)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
