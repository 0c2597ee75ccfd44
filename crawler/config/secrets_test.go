package config

import (
	"strings"
	"testing"
)

// A short value is hidden where it stands for itself, and does not garble messages that
// have nothing to do with it.
func TestShortSecrets(t *testing.T) {
	for _, c := range []struct{ value, text, message, want string }{
		{"no", "${PW}", "the last answer does not show it; no token", "the last answer does not show it; no token"},
		{"no", "${PW}", `Get "https://a.example/?p=no&x": nobody:no@`, `Get "https://a.example/?p=${PW}&x": nobody:${PW}@`},
		{"no", "${PW}", `the text "no", 'no'`, `the text "${PW}", '${PW}'`},
		{"no", "${PW}", "no", "${PW}"},
		{"no", "me-${PW}!x", "sent me-no!x, no more", "sent me-${PW}!x, no more"},
		{"1", "${N}", "after 1 attempt of 11, n=1, n=11", "after 1 attempt of 11, n=${N}, n=11"},
		{"show", "${PW}", "shows what does not show", "shows what does not ${PW}"},
		{"\u00fcber", "${PW}", "\u00fcberall =\u00fcber", "\u00fcberall =${PW}"},
		{"p&", "${PW}", "=p&x", "=${PW}x"},
		{"long-enough", "${PW}", "xlong-enoughx", "x${PW}x"},
	} {
		known := &secrets{}
		name := strings.TrimSuffix(c.text[strings.Index(c.text, "${")+2:strings.Index(c.text, "}")], "}")
		expand(c.text, func(n string) (string, bool) { return c.value, n == name }, known)
		if got := known.hide(c.message); got != c.want {
			t.Errorf("%q as %q: %q, want %q", c.value, c.text, got, c.want)
		}
	}
}

func FuzzHide(f *testing.F) {
	f.Add("no", "${A}", "p=no")
	f.Add("s3cret-0815", "x${A}", "xs3cret-0815 s3cret-0815")
	f.Fuzz(func(t *testing.T, value, text, message string) {
		known := &secrets{}
		exp, _ := expand(text, func(string) (string, bool) { return value, true }, known)
		if len(value) >= leastHidden && strings.Contains(strings.ReplaceAll(known.hide(message), "${", ""), value) && !strings.Contains(text, value) && len(exp.from) > 0 {
			t.Errorf("%q is in %q", value, known.hide(message))
		}
		if len(exp.from) > 0 && exp.text != text && value != "" && known.hide(exp.text) == exp.text && !strings.Contains(exp.text, "${") {
			t.Errorf("%q stands as it is", exp.text)
		}
	})
}
