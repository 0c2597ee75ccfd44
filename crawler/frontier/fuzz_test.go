package frontier

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FuzzIdentity reads arbitrary bytes as a state's STATE file: whose it is, or
// that it is damaged.
func FuzzIdentity(f *testing.F) {
	for _, s := range []string{`{"format":1,"crawl":"shop","version":"v1"}`, `{"format":99}`, `{"format":-1}`, `{}`, ``, `null`, `{"format":1e300}`, "\x00", `{"format":1,"crawl":5}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		mem := vfs.NewMem()
		file, err := mem.Create(identityFile, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.Write(data)
		if err = errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
		id, err := readIdentity(mem, identityFile)
		if err != nil && !errors.Is(err, ErrDamaged) || err == nil && id.Format < 1 {
			t.Errorf("%q is %+v, %v", data, id, err)
		}
	})
}
