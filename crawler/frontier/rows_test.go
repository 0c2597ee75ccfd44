package frontier

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// FuzzRows reads arbitrary bytes as every kind of row: errors, never panics,
// and what is read is written back the same.
func FuzzRows(f *testing.F) {
	r := crawler.Request{Requested: "http://a.example/", Referrer: urls.Key{1}, Through: 7}
	r.URL, _ = urls.Parse("http://b.example/x?y")
	f.Add(encodeRequest("http://b.example", &r))
	f.Add(encodeRequest("http://other.example", &r))
	r.Call = &crawler.Call{Method: "POST", Header: http.Header{"Content-Type": {"text/plain"}}, Body: "x", Repeat: true}
	r.Types = []string{"book"}
	r.Row, r.Modified, r.Unlinked = 1<<63+7, time.Unix(1e9, 0), true
	r.Carry = []crawler.Field{{Name: "a", Value: []any{"b", int64(-1), 2.5, true, nil, []crawler.Field{{Name: "c", Value: json.RawMessage("1")}}}}}
	f.Add(encodeRequest("http://b.example", &r))
	f.Add(encodeVerdict(verdict{standsRetry, 2, 503, crawler.ClassHTTP5xx, "try later"}))
	f.Add(encodeHost(&hostRecord{"http://b.example", hostState{1, 2, 3, []byte("x")}, 4}))
	f.Add((&counts{1, 2, 3, 4, 5, 6}).encode())
	known := crawler.Known{Request: r, ETag: `W/"1"`, FirstSeen: time.Unix(1e9, 0), Whole: true}
	f.Add(encodeKnown(&known))
	contents, _ := encodeContents(&r, &crawler.Contents{
		Links: []crawler.Request{r}, Records: []crawler.Record{{Type: "book", Fields: r.Carry}}, Matched: []string{"book"},
	})
	f.Add(contents)
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, row []byte) {
		var order orderKey
		if q, err := decodeRequest("http://b.example", &order, row); err == nil {
			written := encodeRequest("http://b.example", &q)
			again, err := decodeRequest("http://b.example", &order, written)
			if again.URL.Fetch() != q.URL.Fetch() { // what a server sees is what is kept
				t.Errorf("URL %s became %s, %v", q.URL, again.URL, err)
			}
			if again.URL = q.URL; err != nil || !bytes.Equal(encodeRequest("http://b.example", &again), written) {
				t.Errorf("request %+v became %+v, %v", q, again, err)
			}
		}
		if k, err := decodeKnown(urls.Key{1}, row); err == nil {
			again, err := decodeKnown(urls.Key{1}, encodeKnown(k))
			if err != nil || again.ETag != k.ETag || again.Visits != k.Visits || !again.Visited.Equal(k.Visited) || again.Request.URL.Fetch() != k.Request.URL.Fetch() {
				t.Errorf("known page %+v became %+v, %v", k, again, err)
			}
		}
		if c, err := decodeContents(row, crawler.AllLinks, nil); err == nil {
			written, _ := encodeContents(&r, c)
			if again, err := decodeContents(written, crawler.AllLinks, nil); err != nil || len(again.Links) != len(c.Links) || len(again.Records) != len(c.Records) {
				t.Errorf("contents %+v became %+v, %v", c, again, err)
			}
		}
		if v, err := decodeVerdict(row); err == nil && len(v.detail) <= maxDetail && len(v.class) <= maxDetail {
			if again, err := decodeVerdict(encodeVerdict(v)); v.stands != standsQueued && v.status >= 0 && (err != nil || again != v) {
				t.Errorf("verdict %+v became %+v, %v", v, again, err)
			}
		}
		if h, err := decodeHost(row); err == nil {
			if again, err := decodeHost(encodeHost(&h)); err != nil || again.name != h.name || again.readyAt != h.readyAt {
				t.Errorf("host %+v became %+v, %v", h, again, err)
			}
		}
		if c, err := decodeCounts(row, format); err == nil {
			if again, err := decodeCounts(c.encode(), format); err != nil || again != c {
				t.Errorf("counts %+v became %+v, %v", c, again, err)
			}
		}
	})
}

// TestOrderKeys: keys sort as priority, depth and discovery do.
func TestOrderKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func() (uint8, uint16, uint64, urls.Key) {
			return rapid.Uint8().Draw(t, "priority"), rapid.Uint16().Draw(t, "depth"),
				rapid.Uint64Range(1, math.MaxUint64-1).Draw(t, "seq"), urls.Key{rapid.Byte().Draw(t, "fp")}
		}
		p1, d1, s1, f1 := draw()
		p2, d2, s2, f2 := draw()
		a, b := makeOrder(p1, d1, s1, f1), makeOrder(p2, d2, s2, f2)
		if a.priority() != p1 || a.depth() != d1 || a.fp() != f1 {
			t.Fatalf("%v does not give back what it was made of", a)
		}
		want := p1 < p2 || p1 == p2 && (d1 < d2 || d1 == d2 && s1 < s2)
		if s1 != s2 && (bytes.Compare(a[:], b[:]) < 0) != want {
			t.Fatalf("order of %v and %v", a, b)
		}
		if bytes.Compare(a[:], lastOrder[:]) >= 0 || a == (orderKey{}) {
			t.Fatalf("%v is not between the ends", a)
		}
	})
}

func TestInstants(t *testing.T) {
	for _, c := range []struct {
		t    time.Time
		want int64
	}{
		{time.Time{}, 0},
		{time.Unix(-5, 0), 0},
		{time.Unix(7, 9), 7_000_000_009},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), math.MaxInt64 - 1},
	} {
		if got := instant(c.t); got != c.want {
			t.Errorf("instant(%v) = %d, want %d", c.t, got, c.want)
		}
	}
}

// TestSeenCache: it never claims what was not added, and keeps the newest.
func TestSeenCache(t *testing.T) {
	c := newSeenCache(1 << 10)
	for i := range 1000 {
		fp := urls.Key{byte(i), byte(i >> 8), 1}
		if c.has(fp) {
			t.Fatalf("%v was never added", fp)
		}
		if c.add(fp); !c.has(fp) {
			t.Fatalf("%v was just added", fp)
		}
	}
	if c.add(urls.Key{}); c.has(urls.Key{}) {
		t.Error("the zero key stands for an empty place")
	}
}
