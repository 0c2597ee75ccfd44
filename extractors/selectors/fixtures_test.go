package selectors

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The bookshop of the fixture web, every product of it, gives what its maker
// wrote down beside it.
func TestFixtureBooks(t *testing.T) {
	golden, err := os.Open("../../fixtures/golden/books.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer golden.Close()
	x := &Extractor{Fields: []Field{
		{Name: "title", Selector: byCSS("h1")},
		{Name: "price", Selector: byCSS(".price_color"), As: "number"},
		{Name: "stock", Selector: byCSS(".availability"), Regex: `\((\d+) available`, As: "integer"},
		{Name: "upc", Selector: byPath("//th[.='UPC']/following-sibling::td")},
		{Name: "cover", Selector: byCSS("img.cover"), Attr: "src", As: "url", Required: true},
	}}
	n := 0
	for lines := bufio.NewScanner(golden); lines.Scan(); n++ {
		var want struct {
			Title, UPC, Path string
			Price            float64
			Stock            int64
		}
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile(filepath.Join("../../fixtures/sites/books.example", want.Path))
		if err != nil {
			t.Fatal(err)
		}
		r := extract(t, x, string(body))
		if len(r.Records) != 1 || len(r.Errors) != 0 {
			t.Fatalf("%s: %d records, %v", want.Path, len(r.Records), r.Errors)
		}
		f := r.Records[0].Fields
		if f[0].Value != want.Title || f[1].Value != want.Price || f[2].Value != want.Stock || f[3].Value != want.UPC {
			t.Errorf("%s: got %v, want %+v", want.Path, f, want)
		}
	}
	if n < 300 {
		t.Errorf("only %d products", n)
	}
}
