package urls

import "testing"

func mustParse(tb testing.TB, raw string) URL {
	tb.Helper()
	u, err := Parse(raw)
	if err != nil {
		tb.Fatalf("Parse(%q): %v", raw, err)
	}
	return u
}

const benchPage = "https://books.example/catalogue/category/fiction/index.html?page=3#top"

func benchmarkResolve(b *testing.B, ref string) {
	base := mustParse(b, benchPage)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := base.Resolve(ref); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolveAbsolutePath(b *testing.B) { benchmarkResolve(b, "/a/b.html") }
func BenchmarkResolveRelative(b *testing.B)     { benchmarkResolve(b, "page-2.html") }
func BenchmarkResolveDots(b *testing.B)         { benchmarkResolve(b, "../x?y=1") }
func BenchmarkResolveLongDots(b *testing.B) {
	benchmarkResolve(b, "../../../media/cache/26/0c/260c6ae16bce31c8f8c95daddd9f4a1c.jpg")
}
func BenchmarkResolveQuery(b *testing.B)    { benchmarkResolve(b, "?page=4") }
func BenchmarkResolveFragment(b *testing.B) { benchmarkResolve(b, "#reviews") }
func BenchmarkResolveAbsolute(b *testing.B) {
	benchmarkResolve(b, "https://www.books.example/catalogue/a-light-in-the-attic_1000/index.html")
}
func BenchmarkResolveEngine(b *testing.B) { benchmarkResolve(b, "/größe/b.html") }

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(benchPage); err != nil {
			b.Fatal(err)
		}
	}
}

var tracking = &Canon{DropParams: []string{"utm_*", "gclid", "fbclid"}}

func benchmarkKey(b *testing.B, raw string) {
	u := mustParse(b, raw)
	b.ReportAllocs()
	for b.Loop() {
		tracking.Key(u)
	}
}

func BenchmarkKey(b *testing.B) { benchmarkKey(b, benchPage) }
func BenchmarkKeyRewritten(b *testing.B) {
	benchmarkKey(b, "https://books.example/%7euser/index.html?utm_source=x&page=3")
}

func BenchmarkScope(b *testing.B) {
	s, err := NewScope(ScopeRules{
		Hosts:    []string{"books.example", "*.books.example"},
		Include:  []Pattern{{Glob: "/catalogue/**"}},
		Exclude:  []Pattern{{Glob: "**/login*"}, {Glob: "/**/print/*.html"}},
		MaxDepth: 8,
	})
	if err != nil {
		b.Fatal(err)
	}
	u := mustParse(b, benchPage)
	b.ReportAllocs()
	for b.Loop() {
		if !s.Check(u, 3).In {
			b.Fatal("out")
		}
	}
}
