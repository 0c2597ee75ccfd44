package urls

import (
	"errors"
	"testing"
)

func TestDedup(t *testing.T) {
	canon := &Canon{DropParams: []string{"utm_*", "gclid"}}
	for _, row := range table(t, "dedup.txt", 2) {
		raw, want := row[0], row[1]
		if want == "=" {
			want = raw
		}
		if got := canon.Dedup(mustParse(t, raw)); got != want {
			t.Errorf("Dedup(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	key := func(c *Canon, raw string) Key { return c.Key(mustParse(t, raw)) }
	canon := &Canon{DropParams: []string{"utm_*"}}
	if key(canon, "http://H.example:80/%7ea?utm_x=1#b") != key(nil, "http://h.example/~a") {
		t.Error("two spellings of one URL have two keys")
	}
	if key(nil, "http://h.example/?a&b") == key(nil, "http://h.example/?b&a") {
		t.Error("the order of parameters does not count")
	}
	// Stored keys must be found again by later versions.
	const want = "f1230bdd39f21d1d2ae16eedf6c90c2b"
	if got := key(nil, "https://books.example/").String(); got != want {
		t.Errorf("key is %s, want %s", got, want)
	}
}

func TestCanonValidate(t *testing.T) {
	if err := (&Canon{DropParams: []string{"utm_*", "gclid"}}).Validate(); err != nil {
		t.Error(err)
	}
	for _, p := range []string{"", "*", "u*m", "utm_**", "a=b", "a&b"} {
		if err := (&Canon{DropParams: []string{p}}).Validate(); !errors.Is(err, ErrPattern) {
			t.Errorf("%q: got %v", p, err)
		}
	}
}
