package frontier

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// drawKnown makes a page that may be known, with all that it may have.
func drawKnown(t *rapid.T) crawler.Known {
	at := func(label string) time.Time {
		return time.Unix(rapid.Int64Range(1, 4e9).Draw(t, label), 0).UTC()
	}
	k := crawler.Known{
		Class: crawler.ClassFetched, ETag: rapid.String().Draw(t, "etag"), LastModified: rapid.String().Draw(t, "lm"),
		Print: rapid.Uint64().Draw(t, "print"), Words: rapid.IntRange(0, 1e6).Draw(t, "words"),
		Rules: rapid.Uint64().Draw(t, "rules"), Stated: 3, Headers: 4, Given: 5,
		FirstSeen: at("first"), Changed: at("changed"), Visited: at("visited"), Fetched: at("fetched"),
		Visits: rapid.Int64Range(0, 1e9).Draw(t, "visits"), Changes: 7, Watched: time.Duration(rapid.Int64Range(0, 1e18).Draw(t, "watched")),
		Doubts: rapid.Byte().Draw(t, "doubts"), Seed: rapid.Bool().Draw(t, "seed"), Whole: rapid.Bool().Draw(t, "whole"),
		OutOfScope: rapid.Int64Range(0, 1e9).Draw(t, "out"),
	}
	copy(k.Hash[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "hash"))
	k.Request = drawRequest(t, "http://a.example/")
	k.Contents = &crawler.Contents{}
	for range rapid.IntRange(0, 5).Draw(t, "links") {
		k.Contents.Links = append(k.Contents.Links, drawRequest(t, rapid.SampledFrom([]string{"http://a.example/", "https://b.example/x/"}).Draw(t, "base")))
	}
	for range rapid.IntRange(0, 3).Draw(t, "records") {
		r := crawler.Record{
			Type: "book", URL: "http://a.example/", Requested: rapid.String().Draw(t, "requested"), Key: rapid.String().Draw(t, "key"),
			Usage: rapid.String().Draw(t, "usage"), FetchedAt: at("at"),
			Fields: []crawler.Field{
				{Name: "text", Value: rapid.String().Draw(t, "text")}, {Name: "n", Value: rapid.Int64().Draw(t, "n")},
				{Name: "f", Value: rapid.Float64().Draw(t, "f")}, {Name: "b", Value: true}, {Name: "none"},
				{Name: "list", Value: []any{"a", int64(1), []crawler.Field{{Name: "deep", Value: json.RawMessage(`{"a":1}`)}}}},
			},
		}
		k.Contents.Records = append(k.Contents.Records, r)
	}
	if rapid.Bool().Draw(t, "rejects") {
		k.Contents.Rejects = []crawler.Record{{Type: "book", Key: "x", FetchedAt: at("at"), Fields: []crawler.Field{{Name: "reason", Value: "bad"}}}}
		k.Contents.Matched = []string{"book", "quote"}
	}
	return k
}

func drawRequest(t *rapid.T, base string) crawler.Request {
	u, err := urls.Parse(base + rapid.StringMatching(`[a-z]{0,9}(\?[a-z]{1,3}=[0-9])?`).Draw(t, "path"))
	if err != nil {
		t.Fatal(err)
	}
	r := crawler.Request{
		URL: u, Depth: rapid.Uint16().Draw(t, "depth"), Priority: rapid.Byte().Draw(t, "priority"),
		Kind: rapid.SampledFrom([]crawler.Kind{crawler.KindPage, crawler.KindSitemap}).Draw(t, "kind"), Through: rapid.Byte().Draw(t, "through"),
		Unlinked: rapid.Bool().Draw(t, "unlinked"),
	}
	copy(r.Key[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "fp"))
	if rapid.Bool().Draw(t, "modified") {
		r.Modified = time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "at"), 0).UTC()
	}
	if rapid.Bool().Draw(t, "carry") {
		r.Carry, r.Types = []crawler.Field{{Name: "a", Value: "b"}}, []string{"book"}
	}
	return r
}

// What is known of pages comes back as it was, across a restart and a fresh start
// that keeps it, and is gone after one that does not.
func TestKnownComesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{Dir: "/s", Crawl: "shop", FS: vfs.NewMem()}
		f := mustOpen(t, o)
		want := map[urls.Key]crawler.Known{}
		for range rapid.IntRange(1, 6).Draw(rt, "pages") {
			k := drawKnown(rt)
			contents := *k.Contents
			mustCommit(t, f, &crawler.Batch{Known: []crawler.Known{k}, Put: map[string][]byte{"robots/x": {1}}})
			// The second commit changes the page and leaves its contents alone.
			k.Visits++
			k.Size, k.Contents = 1, nil
			mustCommit(t, f, &crawler.Batch{Known: []crawler.Known{k}})
			k.Contents = &contents
			want[k.Request.Key] = k
		}
		for _, step := range []string{"at once", "after a restart", "after a fresh start"} {
			seen := 0
			var last urls.Key
			if err := f.EachKnown(urls.Key{}, func(k *crawler.Known) (bool, error) {
				if seen++; seen > 1 && bytes.Compare(k.Request.Key[:], last[:]) <= 0 {
					rt.Errorf("%s: key %s follows %s", step, k.Request.Key, last)
				}
				last = k.Request.Key
				return true, nil
			}); err != nil || seen != len(want) {
				rt.Fatalf("%s: %d pages are known, not %d: %v", step, seen, len(want), err)
			}
			for key, w := range want {
				sameKnown(rt, f, key, w)
			}
			if err := f.Close(); err != nil {
				rt.Fatal(err)
			}
			o.Fresh, o.Keep, o.KeepKnown = step == "after a restart", []string{"robots/", "zzz"}, true
			f = mustOpen(t, o)
		}
		var some urls.Key
		for some = range want {
			break
		}
		mustCommit(t, f, &crawler.Batch{Forget: []urls.Key{some}})
		if k, err := f.Recall(some); k != nil || err != nil {
			rt.Errorf("a page that was forgotten is known: %v, %v", k, err)
		}
		if err := f.Close(); err != nil {
			rt.Fatal(err)
		}
		if c, r, err := check(t.Context(), o.FS, o.Dir); err != nil || len(c.Problems) > 0 {
			rt.Errorf("check: %+v, %v", c, err)
		} else if err := r.Close(); err != nil {
			rt.Error(err)
		}
		o.Fresh, o.KeepKnown = true, false
		f = mustOpen(t, o)
		defer f.Close()
		if err := f.EachKnown(urls.Key{}, func(k *crawler.Known) (bool, error) {
			rt.Errorf("%s is known after a fresh start", k.Request.URL)
			return true, nil
		}); err != nil {
			rt.Error(err)
		}
	})
}

func sameKnown(t *rapid.T, f *Frontier, key urls.Key, want crawler.Known) {
	k, err := f.Recall(key)
	if err != nil || k == nil {
		t.Fatalf("%s is not known: %v", key, err)
	}
	c, err := f.Contents(key, crawler.AllLinks)
	if err != nil {
		t.Fatal(err)
	}
	got := *k
	got.Contents = c
	links := slices.Clone(want.Contents.Links)
	for i := range links {
		l := &links[i]
		l.Referrer, l.Depth = urls.Key{}, uint16(max(int(l.Depth)-int(want.Request.Depth), 0))
	}
	a, b := encodeKnown(&got), encodeKnown(&want)
	if !bytes.Equal(a, b) {
		t.Errorf("%+v became %+v", want, got)
	}
	if len(c.Links) != len(links) || len(c.Links) > 0 && !reflect.DeepEqual(c.Links, links) ||
		!reflect.DeepEqual(c.Records, want.Contents.Records) || !reflect.DeepEqual(c.Rejects, want.Contents.Rejects) || !reflect.DeepEqual(c.Matched, want.Contents.Matched) {
		t.Errorf("contents %+v became %+v", want.Contents, c)
	}
}

// Contents that lack their page, and a page without contents, are found.
func TestCheckFindsLoneContents(t *testing.T) {
	for _, prefix := range []byte{knownRow, contentsRow} {
		o := Options{Dir: "/s", Crawl: "shop", FS: vfs.NewMem()}
		f := mustOpen(t, o)
		k := crawler.Known{Request: req(t, "http://a.example/1"), Contents: &crawler.Contents{}}
		mustCommit(t, f, &crawler.Batch{Known: []crawler.Known{k}})
		b := f.store.db.NewBatch()
		if err := b.DeleteRange([]byte{prefix}, []byte{prefix + 1}, nil); err != nil {
			t.Fatal(err)
		}
		if err := f.store.db.Apply(b, nil); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		c, r, err := check(t.Context(), o.FS, o.Dir)
		if err != nil || len(c.Problems) != 1 || c.Problems[0].Where != "rows of known pages" {
			t.Errorf("without %c: %+v, %v", prefix, c, err)
		}
		if r != nil {
			_ = r.Close()
		}
	}
}

// Links to what a run has found already are left out where that is wanted, and still
// count as found.
func TestContentsWithoutSeenLinks(t *testing.T) {
	f := mustOpen(t, Options{Dir: "/s", Crawl: "shop", FS: vfs.NewMem()})
	defer f.Close()
	page := req(t, "http://a.example/1")
	links := []crawler.Request{req(t, "http://a.example/2"), req(t, "http://b.example/"), req(t, "http://a.example/3")}
	item := crawler.Record{Type: "item", Key: "k"}
	known := crawler.Known{Request: page, Contents: &crawler.Contents{Links: links, Records: []crawler.Record{item}}}
	mustCommit(t, f, &crawler.Batch{Known: []crawler.Known{known}})
	for seen, found := range []crawler.Request{page, links[1], links[0], links[2]} {
		mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{found}})
		for wanted, want := range map[crawler.Links]int{crawler.AllLinks: 3, crawler.UnseenLinks: 3 - seen, crawler.NoLinks: 0} {
			c, err := f.Contents(page.Key, wanted)
			if err != nil || len(c.Links) != want || len(c.Records) != 1 {
				t.Fatalf("after %d links, wanting %d: %+v, %v", seen, wanted, c, err)
			}
			if wanted == crawler.UnseenLinks && c.Seen != seen || seen == 2 && want == 1 && c.Links[0].URL.Fetch() != "http://a.example/3" {
				t.Errorf("after %d links: %+v", seen, c)
			}
		}
		if !f.Seen(found.Key) {
			t.Errorf("%s was not seen", found.URL)
		}
	}
	before := f.Stats().Duplicates
	mustCommit(t, f, &crawler.Batch{Seen: 3})
	if n := f.Stats().Duplicates - before; n != 3 {
		t.Errorf("%d links count as seen before", n)
	}
}

// What is known of pages is left in tables, not in a log that the next run would have
// to read first.
func TestKnownPagesAreLeftInTables(t *testing.T) {
	for _, know := range []bool{false, true} {
		o := Options{Dir: "/s", Crawl: "shop", FS: vfs.NewMem()}
		f := mustOpen(t, o)
		b := &crawler.Batch{Found: []crawler.Request{req(t, "http://a.example/1")}}
		if know {
			b.Known = []crawler.Known{{Request: b.Found[0], Contents: &crawler.Contents{}}}
		}
		mustCommit(t, f, b)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		names, err := o.FS.List("/s/" + storeDir)
		if err != nil {
			t.Fatal(err)
		}
		if tables := slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, ".sst") }); tables != know {
			t.Errorf("knowing pages %t: %v", know, names)
		}
	}
}
