package fetch

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/gabriel-vasile/mimetype"
	"pgregory.net/rapid"
)

// TestIndexFold compares with a search of the text in lower case, in texts that are
// made of the words' parts.
func TestIndexFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"http-equiv", "charset", "refresh"}).Draw(t, "word")
		parts := []string{"http-equiv", "HTTP-EQUIV", "http-eQuiv", "charset", "ChArSeT", "refresh", "reFresh", "q", "Q", "f", "c", "C", "http-", "equ", "\x80", "ſ", ""}
		text := bytes.Join(rapid.SliceOf(rapid.Map(rapid.SampledFrom(parts), func(s string) []byte { return []byte(s) })).Draw(t, "text"), nil)
		lower := slices.Clone(text)
		for i, c := range lower {
			if 'A' <= c && c <= 'Z' {
				lower[i] = c | 0x20
			}
		}
		if got, want := indexFold(text, word), bytes.Index(lower, []byte(word)); got != want {
			t.Fatalf("%q in %q: %d, want %d", word, text, got, want)
		}
	})
}

// What is said of an empty body is what is guessed from one.
func TestTypeOfNothing(t *testing.T) {
	guess, _, _ := strings.Cut(mimetype.Detect(nil).String(), ";")
	if got, _ := mediaType("", nil); got != guess {
		t.Errorf("an empty body is %q, and guessed to be %q", got, guess)
	}
}
