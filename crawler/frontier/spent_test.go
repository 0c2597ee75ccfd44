package frontier

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
)

// Of the values that outlive a fresh start those that are spent do not, however many.
func TestSpentValuesAreForgotten(t *testing.T) {
	fs := vfs.NewMem()
	o := Options{Dir: "/state", FS: fs, Crawl: "x", Keep: []string{"debts/", "drift/"}, Spent: func(name string, value []byte) bool {
		return strings.HasPrefix(name, "debts/") && string(value) == "old"
	}}
	f, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	put := map[string][]byte{"drift/x": []byte("old"), "robots/a": []byte("text")}
	for i := range 3 * sweepStep {
		put[fmt.Sprintf("debts/%05d", i)] = []byte([]string{"old", "new", "old"}[i%3])
	}
	if _, err := f.Commit(t.Context(), &crawler.Batch{Put: put}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	o.Fresh = true
	if f, err = Open(o); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, value := range put {
		got, err := f.Get(name)
		if want := !strings.HasPrefix(name, "robots/") && (string(value) == "new" || strings.HasPrefix(name, "drift/")); err != nil || (got != nil) != want {
			t.Fatalf("%s: %q, %v", name, got, err)
		}
	}
}
