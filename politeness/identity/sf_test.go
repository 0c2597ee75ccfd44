package identity

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func serialise(t testing.TB, d dictionary) string {
	t.Helper()
	var b []byte
	for i, m := range d {
		if i > 0 {
			b = append(b, ", "...)
		}
		var err error
		if b, err = appendItem(append(append(b, m.key...), '='), m.item); err != nil {
			t.Fatalf("%#v: %v", m, err)
		}
	}
	return string(b)
}

func TestParseDictionary(t *testing.T) {
	for text, want := range map[string]string{
		``:                               ``,
		`a`:                              `a=?1`,
		`a;x;y=?0`:                       `a=?1;x;y=?0`,
		`  a=1 ,` + "\t" + `b=2  `:       `a=1, b=2`,
		`a=-0`:                           `a=0`,
		`a=-999999999999999`:             `a=-999999999999999`,
		`a=1.5,b=-12.340,c=7.0`:          `a=1.5, b=-12.34, c=7.0`,
		`a=@1659578233`:                  `a=@1659578233`,
		`a="x\"\\y"`:                     `a="x\"\\y"`,
		`a=*tok/en:x`:                    `a=*tok/en:x`,
		`a=:YQ==:,b=:YQ:,c=::`:           `a=:YQ==:, b=:YQ==:, c=::`,
		`a=( 1  "b";q=1 );z=*`:           `a=(1 "b";q=1);z=*`,
		`a=()`:                           `a=()`,
		`a=1;  b=2`:                      `a=1;b=2`,
		`a=1, b=2, a=3`:                  `a=3, b=2`,
		`sig-1.x_y*=("@path");created=9`: `sig-1.x_y*=("@path");created=9`,
	} {
		d, _, err := parseDictionary(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := serialise(t, d); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		`,`, `a,`, `a=1,,b=1`, `a=1 b=2`, `A=1`, `1=1`, `=1`, `a=`, `a=;`, `a=-`, `a=1.`, `a=.5`, `a=1.2345`, `a=1234567890123.1`,
		`a=1234567890123456`, `a="`, `a="\`, `a="\n"`, "a=\"\x7f\"", `a="ü"`, `a=:YQ==`, `a=:Y:`, `a=:YQ=:`, `a=:YQ====:`, `a=:YR==:`, "a=:Y\nQ==:",
		`a=?2`, `a=?`, `a=@1.5`, `a=@`, `a=(1`, `a=(1"b")`, `a=(1,2)`, `a=((1))`, `a=1;`, `a=1;B`, `a=1; =2`, `a=%"x"`, "a\x00", "a=1\n",
	} {
		if d, _, err := parseDictionary(text); err == nil {
			t.Errorf("%q is taken for %v", text, d)
		}
	}
}

func TestParseTellsOfRepetition(t *testing.T) {
	for text, want := range map[string]string{
		`a=1, b=2, a=3`: "a", `a=1;k=1;k=1`: "k", `a=(1;k;k)`: "k", `a=(1);k;k`: "k", `a=1;k, b=1;k`: "",
	} {
		if _, twice, err := parseDictionary(text); twice != want || err != nil {
			t.Errorf("%s: %q, %v", text, twice, err)
		}
	}
	if _, err := parseItem(`"a";k;k`); err == nil {
		t.Error("an item with a parameter twice is accepted")
	}
}

func TestParseIsBounded(t *testing.T) {
	for _, text := range []string{
		`a="` + strings.Repeat("x", maxField) + `"`,
		"a=(" + strings.Repeat("1 ", maxMembers+1) + ")",
		"a=1" + manyKeys(";", maxMembers+1),
		"a" + manyKeys(",", maxMembers),
	} {
		if _, _, err := parseDictionary(text); err == nil {
			t.Errorf("accepted: %.40s...", text)
		}
	}
	for _, text := range []string{"a=(" + strings.Repeat("1 ", maxMembers) + ")", "a=1" + manyKeys(";", maxMembers), "a" + manyKeys(",", maxMembers-1)} {
		if _, _, err := parseDictionary(text); err != nil {
			t.Errorf("%.40s...: %v", text, err)
		}
	}
}

// manyKeys are n different keys, each after a separator.
func manyKeys(separator string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(separator + "k" + strings.Repeat("k", i))
	}
	return b.String()
}

func bareItems() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Int64Range(-maxInteger, maxInteger).AsAny(),
		rapid.Map(rapid.Int64Range(-maxInteger, maxInteger), func(n int64) decimal { return decimal(n) }).AsAny(),
		rapid.Map(rapid.Int64Range(-maxInteger, maxInteger), func(n int64) date { return date(n) }).AsAny(),
		rapid.Map(rapid.StringMatching(`[A-Za-z*][A-Za-z0-9!#$%&'*+.^_|~:/-]{0,8}`), func(s string) token { return token(s) }).AsAny(),
		rapid.StringMatching(`[ -~]{0,12}`).AsAny(),
		rapid.SliceOfN(rapid.Byte(), 0, 12).AsAny(),
		rapid.Bool().AsAny(),
	)
}

func keys() *rapid.Generator[string] { return rapid.StringMatching(`[a-z*][a-z0-9_.*-]{0,6}`) }

func drawParams(t *rapid.T) params {
	var ps params
	for _, key := range rapid.SliceOfNDistinct(keys(), 0, 3, rapid.ID).Draw(t, "parameters") {
		ps = append(ps, param{key, bareItems().Draw(t, key)})
	}
	return ps
}

// What is written is read back as it was.
func TestWriteAndRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d dictionary
		for _, key := range rapid.SliceOfNDistinct(keys(), 0, 5, rapid.ID).Draw(t, "members") {
			m := member{key: key}
			if rapid.Bool().Draw(t, "list") {
				list := innerList{}
				for range rapid.IntRange(0, 3).Draw(t, "length") {
					list = append(list, item{bareItems().Draw(t, "element"), drawParams(t)})
				}
				m.value = list
			} else {
				m.value = bareItems().Draw(t, "value")
			}
			m.params = drawParams(t)
			d = append(d, m)
		}
		var b []byte
		for i, m := range d {
			if i > 0 {
				b = append(b, ", "...)
			}
			var err error
			if b, err = appendItem(append(append(b, m.key...), '='), m.item); err != nil {
				t.Fatal(err)
			}
		}
		got, twice, err := parseDictionary(string(b))
		if err != nil || twice != "" {
			t.Fatalf("%s: %v, %q twice", b, err, twice)
		}
		if !reflect.DeepEqual(got, d) {
			t.Fatalf("%s\nwrote %#v\nread  %#v", b, d, got)
		}
	})
}

// What is read can be written, and is read again as the same.
func FuzzParse(f *testing.F) {
	for _, x := range botExamples {
		f.Add(x.agent)
		f.Add(x.input)
		f.Add(x.signature)
	}
	f.Add(`a=(1 -2.50;q="\\";w=:YQ==:;e);r=?0, b;x=@7, c=*t/o`)
	f.Add(`a=1, b=2, a=3;k;k`)
	f.Fuzz(func(t *testing.T, text string) {
		d, _, err := parseDictionary(text)
		if err != nil {
			return
		}
		written := serialise(t, d)
		if len(written) > maxField {
			return // booleans grow
		}
		again, twice, err := parseDictionary(written)
		if err != nil || twice != "" {
			t.Fatalf("%q gives %q: %v, %q twice", text, written, err, twice)
		}
		if !reflect.DeepEqual(d, again) {
			t.Fatalf("%q gives %q\n%#v\n%#v", text, written, d, again)
		}
	})
}
