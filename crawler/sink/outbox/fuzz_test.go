package outbox

import (
	"errors"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// A position that is damaged is refused, never followed out of the folder.
func FuzzPosition(f *testing.F) {
	f.Add([]byte(`{"sink":"parquet","streams":{"book":{"done":2,"parts":[{"serial":3,"records":1,"bytes":9,"since":0,"closed":true,"spool":{"sink":"jsonl","files":{"book-00000003.jsonl":12}}}],"columns":[{"Name":"a","Kind":3}]}}}`))
	f.Add([]byte(`{"sink":"parquet","streams":{"../x":{"done":0}}}`))
	f.Add([]byte(`{"sink":"parquet","streams":{"x":{"done":9223372036854775807,"parts":[{"serial":1,"spool":1}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Open(t.Context(), Options{Format: "parquet"}, crawler.RunInfo{Folder: t.TempDir()}, data)
		if err != nil && !errors.Is(err, crawler.ErrForeignState) && !errors.Is(err, crawler.ErrStop) {
			t.Errorf("%v", err)
		}
		_ = o.Close()
	})
}
