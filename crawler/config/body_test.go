package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the environment gives is text in a JSON body, no place of a value anywhere,
// and comes back from the state as it was.
func TestValuesInBodies(t *testing.T) {
	dataset := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(dataset, []byte("id\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(t interface{ Fatalf(string, ...any) }, seed, pw string) *Config {
		text := "politeness: {contact: https://me.example/}\nextract: {a: {fields: {x: {css: h1}}}}\nseeds: [{rows: " + dataset + ", " + seed + "}]\n"
		c, found := Parse("c.yaml", []byte(text), Options{Env: func(name string) (string, bool) { return pw, name == "PW" }})
		if c == nil || strings.Contains(fmt.Sprint(found), "not accepted") {
			t.Fatalf("%q: %v", pw, found)
		}
		return c
	}
	rapid.Check(t, func(t *rapid.T) {
		pw := rapid.StringMatching(`[a-z"\\{}<&%\x{e4} ]{0,16}`).Draw(t, "pw")
		var got struct{ P, N string }
		body := load(t, `url: "https://a.example/", body: '{"p": "${PW}", "n": "a\"${PW}"}'`, pw).Seeds[0].Body
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.P != pw || got.N != `a"`+pw || strings.Contains(body, "{{") {
			t.Fatalf("%q became %s: %v", pw, body, err)
		}
		c := load(t, `url: "https://a.example/?p=${PW}", body: "p=${PW}", headers: {Content-Type: application/x-www-form-urlencoded}`, pw)
		if strings.Contains(c.Seeds[0].URL+c.Seeds[0].Body, "{{") {
			t.Fatalf("%q became %s and %s", pw, c.Seeds[0].URL, c.Seeds[0].Body)
		}
	})
	for _, pw := range []string{`long"enough`, `long\enough`, "long{{enough", "long<enough"} {
		c := load(t, `url: "https://a.example/", body: '{"p": "${PW}"}'`, pw)
		v, body := c.Veil(), c.Seeds[0].Body
		for _, text := range []string{body, "raw " + pw} {
			sealed := v.Seal(text, "mark")
			if strings.Contains(sealed, "enough") || v.Unseal(sealed, "mark") != text {
				t.Errorf("%s is sealed as %s, and comes back as %s", text, sealed, v.Unseal(sealed, "mark"))
			}
			if shown := c.Redact(text) + v.Hide(text); strings.Contains(shown, "enough") {
				t.Errorf("%s is shown as %s", text, shown)
			}
		}
	}
	// What is outside of quotes, or no JSON, is as it is.
	for seed, want := range map[string]string{
		`body: '{"p": ${PW}}'`: `{"p": {"a": 1}}`,
		`body: "p=${PW}"`:      `p={"a": 1}`,
		`body: '{"p": "${PW}"}', headers: {content-type: text/plain}`: `{"p": "{"a": 1}"}`,
	} {
		if body := load(t, `url: "https://a.example/", `+seed, `{"a": 1}`).Seeds[0].Body; body != want {
			t.Errorf("%s: %s", seed, body)
		}
	}
}

// A value that holds {{ where it cannot be escaped is refused with the reason.
func TestPlaceInAValue(t *testing.T) {
	_, found := Parse("c.yaml", []byte("politeness: {contact: https://me.example/}\nextract: {a: {fields: {x: {css: h1}}}}\nseeds: https://a.example/\n"+
		"login: {steps: {url: https://a.example/}, take: {token: {jsonpath: $.t}}, send: {Authorization: '{{token}}${PW}'}}\n"),
		Options{Env: func(name string) (string, bool) { return "s3{{cret}}", name == "PW" }})
	text := fmt.Sprint(found)
	if !strings.Contains(text, "login.send.Authorization: the value of ${PW} holds {{") || strings.Contains(text, "cret") {
		t.Error(text)
	}
}
