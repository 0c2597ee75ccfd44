package download

import "testing"

// Two sizes that differ are told apart.
func TestApart(t *testing.T) {
	for _, c := range []struct {
		less, more int64
		want       string
	}{
		{2<<20 - 1, 2 << 20, "1 MiB of 2 MiB"}, {2<<20 + 1, 2<<20 + 2, "2 MiB of 3 MiB"}, {2 << 20, 2<<20 + 1, "2 MiB of 3 MiB"},
		{0, 7, "0 bytes of 7 bytes"}, {5, 7, "5 bytes of 7 bytes"}, {0, 3 << 30, "0 GiB of 3 GiB"}, {3<<30 + 5, 9 << 30, "3 GiB of 9 GiB"}, {3 << 20, 9 << 30, "3 MiB of 9216 MiB"},
	} {
		a, b := apart(c.less, c.more)
		if got := a + " of " + b; got != c.want {
			t.Errorf("%d and %d: %s, want %s", c.less, c.more, got, c.want)
		}
	}
}
