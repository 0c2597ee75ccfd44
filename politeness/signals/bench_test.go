package signals

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func BenchmarkPage(b *testing.B) {
	robots := ParseRobotsTxt([]byte("User-agent: *\nContent-Signal: search=yes, ai-train=no\nContent-Usage: /a/ train-ai=n\nAllow: /\n"), "bookbot")
	tdm := ParseTDMRep([]byte(`[{"location": "/a/", "tdm-reservation": 1}]`))
	policy := Policy{"ai-train": Respect}
	header := http.Header{"Content-Type": {"text/html"}, "Link": {"</style.css>; rel=preload; as=style"}, "X-Robots-Tag": {"noarchive"}}
	metas := []Meta{{"viewport", "width=device-width"}, {"robots", "max-snippet:-1"}, {"description", "A page."}}
	b.ReportAllocs()
	for b.Loop() {
		u := Merge(robots.For("/b/c.html"), tdm.For("/b/c.html"), FromHeader(header), FromMetas(metas))
		if !policy.DecideEarly(u).Allowed == policy.Decide(u).Allowed || Directives("bookbot", header, metas, now).NoIndex {
			b.Fatal("wrong")
		}
	}
}

// The worst files that fit within the bounds, against a URL of 2 KiB.
func BenchmarkHostileFor(b *testing.B) {
	long := "/" + strings.Repeat("a", 2047)
	stars := strings.Repeat("*a", maxStars)
	var lines, rules strings.Builder
	lines.WriteString("User-agent: *\n")
	for i := range maxTDMRules {
		fmt.Fprintf(&lines, "Content-Usage: /%s%db search=y\n", stars, i)
		fmt.Fprintf(&rules, `{"location": "/%s%db", "tdm-reservation": 0},`, stars, i)
	}
	robots, tdm := ParseRobotsTxt([]byte(lines.String()), "bookbot"), ParseTDMRep([]byte("["+rules.String()))
	b.ReportMetric(float64(robots.Size()+tdm.Size()), "octets")
	for b.Loop() {
		if len(robots.For(long)) == 0 || len(tdm.For(long)) == 0 {
			b.Fatal("nothing is said")
		}
	}
}

func BenchmarkHostileParse(b *testing.B) {
	file := []byte(strings.Repeat("Content-Signal: a=b,c=d,e=f;*\n", MaxSize/30))
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if ParseRobotsTxt(file, "bookbot").For("/") == nil {
			b.Fatal("nothing is said")
		}
	}
}
