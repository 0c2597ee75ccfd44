package robots

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// commonFile is a long robots.txt of the kinds of rules that sites write.
func commonFile(rules int) []byte {
	var b strings.Builder
	b.WriteString("User-agent: *\n")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range rules {
		verb := "Disallow"
		if i%7 == 0 {
			verb = "Allow"
		}
		value := ""
		switch i % 10 {
		case 0:
			value = fmt.Sprintf("/*?filter%d=", i)
		case 1:
			value = fmt.Sprintf("/*/print-%d/", i)
		case 2:
			value = fmt.Sprintf("/*.ext%d$", i)
		case 3:
			value = fmt.Sprintf("/page-%d$", i)
		default:
			value = fmt.Sprintf("/section-%d/topic-%d/", r.IntN(200), i)
		}
		fmt.Fprintf(&b, "%s: %s\n", verb, value)
	}
	return []byte(b.String())
}

var commonURLs = []string{
	"https://www.shop.example/",
	"https://www.shop.example/catalogue/a-light-in-the-attic_1000/index.html",
	"https://www.shop.example/section-17/topic-1234/some-article-title?page=2",
	"https://www.shop.example/search?q=red+shoes&filter70=x&sort=price",
	"https://www.shop.example/blog/2024/11/print-1701/why-we-walk",
	"https://www.shop.example/page-1933",
	"https://www.shop.example/assets/img/cover.ext702",
	"https://www.shop.example/section-17/topic-x/%C3%A9t%C3%A9/another-title.html",
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{20, 2000} {
		r := Parse(commonFile(n), RFC).Agent("bookbot")
		b.Run(fmt.Sprint(n, " rules"), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.Check(commonURLs[i%len(commonURLs)])
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	body := commonFile(2000)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Parse(body, RFC).Agent("bookbot")
	}
}

// hostile lists files and URLs made to be slow to compare.
func hostile() map[string][2]string {
	out := map[string][2]string{}
	fill := func(rule func(i int) string) string {
		var b strings.Builder
		b.WriteString("User-agent:*\n")
		for i := 0; b.Len() < MaxSize; i++ {
			b.WriteString(rule(i))
			b.WriteByte('\n')
		}
		return b.String()[:MaxSize]
	}
	as := "/" + strings.Repeat("a", 2047)
	two := func(i int) string { return string([]byte{byte('!' + i%90), byte('!' + i/90%90)}) }
	r := rand.New(rand.NewPCG(3, 4))
	binary := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "ab"[r.IntN(2)]
		}
		return string(b)
	}
	// Every part is in the URL, but the last only before the others.
	early := "/zz" + binary(2045)
	out["stars in long lines, last part too early"] = [2]string{fill(func(i int) string {
		return fmt.Sprintf("Allow:/%s*zz", strings.Repeat("*a", 500+i))
	}), early}
	out["sixteen stars, last part too early"] = [2]string{fill(func(i int) string {
		parts := ""
		for bit := range 14 {
			parts += []string{"*ab", "*ba"}[i>>bit&1]
		}
		return "Allow:/" + parts + "*zz"
	}), early}
	out["two letters, last part too early"] = [2]string{fill(func(int) string { return "Allow:*" + binary(13) + "*zz" }), early}
	out["short, last part too early"] = [2]string{fill(func(i int) string { return "Allow:*" + binary(3) + "*" + two(i) + "z*zz" }), early}
	out["long needles, last part too early"] = [2]string{fill(func(int) string { return "Allow:*" + binary(90) + "*zz" }), early}
	out["needles in Disallow"] = [2]string{fill(func(int) string { return "Disallow:*" + binary(14) + "*zz" }), early}
	out["only stars"] = [2]string{fill(func(i int) string { return "Allow:" + strings.Repeat("*", i%500) + "b" }), as}
	out["present, then absent"] = [2]string{
		fill(func(i int) string { return "Allow:*a*" + two(i) + "a" }),
		"/" + strings.Repeat("ab", 1023),
	}
	out["two octets that come too early"] = [2]string{
		fill(func(i int) string { return "Allow:*zz*a" + two(i) }),
		"/" + strings.Repeat("a!a\"a", 408) + "zz",
	}
	out["long needles"] = [2]string{fill(func(i int) string {
		return "Allow:*" + strings.Repeat("a", 90) + fmt.Sprint("b", i, "*a")
	}), as}
	out["nested prefixes"] = [2]string{fill(func(i int) string { return "Allow:/" + strings.Repeat("a", i) + "b" }), as}
	out["matching, costly second opinion"] = [2]string{fill(func(i int) string {
		return "Allow:/*" + strings.Repeat("a*", 14) + strings.Repeat("a", 1500)
	}), as}
	out["matching, second opinion at its bound"] = [2]string{"User-agent:*\nAllow:/*" + strings.Repeat("a*", 14) + strings.Repeat("a", 90), as}
	out["one rule a letter"] = [2]string{fill(func(i int) string { return "Allow:*" + two(i) + "*" + two(i/7) }), "/" + func() string {
		var b strings.Builder
		for i := range 1023 {
			b.WriteString(two(i * 31))
		}
		return b.String()
	}()}
	return out
}

// The worst 500 KiB against a URL of 2 KiB; the bound wanted is 10 ms.
func BenchmarkHostile(b *testing.B) {
	for name, c := range hostile() {
		start := time.Now()
		r := Parse([]byte(c[0]), RFC).Agent("x")
		parse := time.Since(start)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r.Check(c[1])
			}
			b.ReportMetric(float64(parse.Milliseconds()), "parse-ms")
		})
	}
}

// Hostile files use up the work allowed and no more, whatever the clock says.
func TestHostileWorkIsBounded(t *testing.T) {
	exhausted := 0
	for name, c := range hostile() {
		r := Parse([]byte(c[0]), RFC).Agent("x")
		left := maxWork
		for i := range r.rules {
			r.rules[i].pattern.matches(c[1], &left, false)
		}
		if left < 0 {
			exhausted++
		}
		if slack := work(len(r.rules)) * (slowdown*work(len(c[1])) + stepCost); left < -slack {
			t.Errorf("%s: %d over", name, -left)
		}
		v, path := r.Check(c[1]), normalise(pathOf(c[1]), sideURL)
		for i := range r.rules {
			rule, enough := &r.rules[i], work(1<<40)
			if rule.line == v.Line && v.Allowed && !rule.pattern.matches(path, &enough, false) {
				t.Errorf("%s: access by line %d, which does not match", name, v.Line)
			}
		}
	}
	if exhausted < 4 {
		t.Errorf("only %d of the files are hostile enough to test the bound", exhausted)
	}
}
