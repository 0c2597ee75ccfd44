package query

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestCount: as many steps are counted as there are values, and of endless ranges one
// more than may be.
func TestCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.Int64Range(-50, 50).Draw(t, "from"), rapid.Int64Range(-50, 50).Draw(t, "to")
		r := Range{Param: &Param{Name: "n", Type: Integer}, From: strconv.FormatInt(from, 10), To: strconv.FormatInt(to, 10),
			Step: strconv.FormatInt(rapid.Int64Range(1, 120).Draw(t, "step"), 10)}
		n := 0
		for range r.Values() {
			n++
		}
		if r.Count() != n {
			t.Errorf("%d of %d steps are counted from %s to %s by %s", r.Count(), n, r.From, r.To, r.Step)
		}
	})
	r := Range{Param: &Param{Name: "n", Type: Integer}, From: "-9223372036854775808", To: "9223372036854775807", Step: "1"}
	if n := r.Count(); n != MaxPartitions+1 {
		t.Errorf("%d steps are counted of all there are", n)
	}
}
