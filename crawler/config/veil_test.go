package config

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler/urls"
)

func veiled(t testing.TB, env map[string]string, text string) *Veil {
	t.Helper()
	c, found := Parse("veil.yaml", []byte(text), Options{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	if found.Failed() {
		t.Fatal(found)
	}
	return c.Veil()
}

func TestVeil(t *testing.T) {
	env := map[string]string{
		"KEY": "k3y-0123456789", "TOKEN": "tok/en 0123456789", "HOST": "shop.example", "PASSWORD": "pa55word-4711",
		"LANGUAGE": "en", "DELAY": "10000000ms", "OUT": "somewhere/else",
	}
	v := veiled(t, env, `
seeds:
  - https://${HOST}/v1?lang=${LANGUAGE}&key=${KEY}
  - {sitemap: "https://me:${PASSWORD}@other.example/${TOKEN}/sitemap.xml"}
politeness: {delay: "${DELAY}"}
extract: {page: {fields: {title: h1}}}
output: [{jsonl: "${OUT}/{type}.jsonl"}]
`)
	for text, want := range map[string]string{
		"https://shop.example/v1?lang=en&key=k3y-0123456789":    "https://shop.example/v1?lang=en&key=${KEY}",
		"https://other.example/tok/en%200123456789/sitemap.xml": "https://other.example/${TOKEN}/sitemap.xml",
		"?t=tok%2Fen+0123456789 tok%2Fen%200123456789":          "?t=${TOKEN} ${TOKEN}",
		"pa55word-4711": "${PASSWORD}", "10000000ms somewhere/else": "10000000ms somewhere/else",
	} {
		if got := v.Hide(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	if !veiled(t, env, "seeds: ['https://${HOST}/?lang=${LANGUAGE}']").Empty() {
		t.Error("a host is hidden")
	}
}

// What is sealed holds no secret, stays a URL of its host, and comes back whole;
// what somebody else made to look like it does not.
func TestSeal(t *testing.T) {
	secrets := rapid.StringMatching(`[a-zA-Z0-9 +/&=%~_äß"<>-]{8,20}`)
	rapid.Check(t, func(t *rapid.T) {
		key, token := secrets.Draw(t, "key"), secrets.Draw(t, "token")
		v := &Veil{}
		for _, s := range []secret{{value: key, name: "${KEY}"}, {value: token, name: "${TOKEN}"}} {
			v.forms = append(v.forms, spellings(s)...)
		}
		u, err := urls.Parse(fmt.Sprintf("https://a.example:8443/%s/x?k=%s&l=%s&m=%s", token, key, url.QueryEscape(token), url.PathEscape(key)))
		if err != nil {
			t.Skip(err)
		}
		const mark = "0123456789abcdef"
		sealed := v.Seal(u.Fetch(), mark)
		for _, f := range v.forms {
			if strings.Contains(sealed, f.text) && !strings.Contains("https://a.example:8443/"+mark, f.text) {
				t.Fatalf("%q shows %q", sealed, f.text)
			}
		}
		again, err := urls.Parse(sealed)
		if err != nil || again.Fetch() != sealed || again.Origin() != u.Origin() {
			t.Fatalf("%q is read as %q (%v)", sealed, again, err)
		}
		if got := v.Unseal(sealed, mark); got != u.Fetch() {
			t.Fatalf("%q came back as %q", u.Fetch(), got)
		}
		forged := strings.ReplaceAll(sealed, mark, "ffffffffffffffff")
		if got := v.Unseal(forged, mark); got != forged {
			t.Fatalf("%q is filled in as %q", forged, got)
		}
	})
}
