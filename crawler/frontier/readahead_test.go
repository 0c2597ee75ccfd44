package frontier

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// knownPages leaves pages in a state, one with large contents, and opens it for a new
// run.
func knownPages(t *testing.T, n, room int) (*Frontier, []crawler.Known) {
	t.Helper()
	o := Options{Dir: "/s", Crawl: "shop", FS: vfs.NewMem()}
	f := mustOpen(t, o)
	known := make([]crawler.Known, n)
	for i := range known {
		item := crawler.Record{Type: "item", Key: fmt.Sprint(i)}
		if i == 0 {
			for j := range maxAhead / 8 { // of what does not pack well
				item.Fields = append(item.Fields, crawler.Field{Name: fmt.Sprint(j), Value: fmt.Sprint(hashHost(fmt.Sprint(j)))})
			}
		}
		known[i] = crawler.Known{Request: req(t, fmt.Sprintf("http://a.example/%d", i)), ETag: "before", Contents: &crawler.Contents{Records: []crawler.Record{item}}}
	}
	mustCommit(t, f, &crawler.Batch{Known: known})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	o.Fresh, o.Keep, o.KeepKnown, o.ReadAhead = true, []string{"x"}, true, room
	return mustOpen(t, o), known
}

func recalled(t *testing.T, f *Frontier, key urls.Key) (etag, record string) {
	t.Helper()
	k, err := f.Recall(key)
	if err != nil {
		t.Fatal(err)
	}
	if k == nil {
		return "", ""
	}
	c, err := f.Contents(key, crawler.AllLinks)
	if err != nil {
		t.Fatal(err)
	}
	return k.ETag, c.Records[0].Key
}

// What was read ahead is what the store has, but for what has been written since, and
// is let go of when a page has been visited.
func TestReadAhead(t *testing.T) {
	f, known := knownPages(t, 100, 0)
	if n := len(f.ahead.rows); n != 100 {
		t.Errorf("%d of 100 pages were read", n)
	}
	if f.ahead.rows[known[0].Request.Key].contents != nil {
		t.Error("contents that are large were read")
	}
	changed := known[1]
	changed.ETag, changed.Contents = "after", &crawler.Contents{Records: []crawler.Record{{Type: "item", Key: "new"}}}
	mustCommit(t, f, &crawler.Batch{Known: []crawler.Known{changed}, Forget: []urls.Key{known[2].Request.Key}})
	for i := range known {
		wantTag, wantRecord := "before", fmt.Sprint(i)
		switch i {
		case 1:
			wantTag, wantRecord = "after", "new"
		case 2:
			wantTag, wantRecord = "", ""
		}
		for _, visit := range []string{"first", "second"} {
			if tag, record := recalled(t, f, known[i].Request.Key); tag != wantTag || record != wantRecord {
				t.Errorf("page %d, %s visit: tag %q, record %q", i, visit, tag, record)
			}
		}
	}
	if n := len(f.ahead.rows); n != 0 {
		t.Errorf("%d pages are still held", n)
	}
}

// What finds no room is looked up.
func TestReadAheadIsBounded(t *testing.T) {
	f, known := knownPages(t, 100, 2000)
	if n := len(f.ahead.rows); n == 0 || n > 20 {
		t.Errorf("%d pages were read into 2,000 bytes", n)
	}
	for i := range known {
		if _, record := recalled(t, f, known[i].Request.Key); record != fmt.Sprint(i) {
			t.Errorf("page %d has the record %q", i, record)
		}
	}
}

// A row that is not as it was written stops the run where it is read ahead as where
// it is looked up.
func TestReadAheadOfDamage(t *testing.T) {
	f, known := knownPages(t, 2, 0)
	for key, rows := range f.ahead.rows {
		f.ahead.rows[key] = rowsAhead{known: rows.known[:5], contents: rows.contents}
	}
	if _, err := f.Recall(known[1].Request.Key); err == nil || !strings.Contains(err.Error(), "a known page") {
		t.Errorf("%v", err)
	}
	if _, err := f.Lease(t.Context(), 1); err == nil {
		t.Error("the state is used further")
	}
}
