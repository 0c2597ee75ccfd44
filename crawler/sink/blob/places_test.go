package blob

import (
	"fmt"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// Of many parts the first and the last are listed, and the others counted.
func TestPartsThatAreNotListed(t *testing.T) {
	_, address := serve(t)
	b := newBlob("s3://shelf/many/{type}.jsonl", address)
	if b.Unlisted() != 0 {
		t.Error("there is something before it is open")
	}
	if err := b.Open(t.Context(), runInfo(t), nil); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for part := 1; part <= 6; part++ {
		for i := range 3 { // which make it full
			r := crawler.Record{Type: "book", Key: fmt.Sprint(part, i), Fields: []crawler.Field{{Name: "text", Value: "t"}}}
			if err := b.Write(t.Context(), []crawler.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		if listed, more := len(b.Places()), int(b.Unlisted()); listed != min(part, 3) || listed+more != part {
			t.Errorf("%d parts: %q, and %d more", part, b.Places(), more)
		}
	}
}
