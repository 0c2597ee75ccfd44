package query

import (
	"strconv"
	"testing"
	"time"

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
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Type{Date, DateTime}).Draw(t, "type")
		begin := time.Date(1600, 1, 31, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 200_000).Draw(t, "begin"))
		layout := map[Type]string{Date: time.DateOnly, DateTime: time.RFC3339}[kind]
		steps := []string{"1d", "3w", "1mo", "7mo", "1y"}
		if kind == DateTime {
			steps = append(steps, "36h", "1000h17m")
		}
		r := Range{Param: &Param{Name: "at", Type: kind}, From: begin.Format(layout),
			To:   begin.AddDate(0, 0, rapid.IntRange(-10, 2000).Draw(t, "days")).Format(layout),
			Step: rapid.SampledFrom(steps).Draw(t, "step")}
		n := 0
		for _, err := range r.Values() {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if r.Count() != n {
			t.Errorf("%d of %d steps are counted from %s to %s by %s", r.Count(), n, r.From, r.To, r.Step)
		}
	})
	for _, c := range []struct {
		from, to, step string
		want           int
	}{
		{"0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "1ns", MaxPartitions + 1},
		{"0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "9h", 9738822}, // more than a Duration holds
		{"0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "100000y", 1},
	} {
		r := Range{Param: &Param{Name: "at", Type: DateTime}, From: c.from, To: c.to, Step: c.step}
		if n := r.Count(); n != c.want {
			t.Errorf("%d steps by %s, want %d", n, c.step, c.want)
		}
	}
	r := Range{Param: &Param{Name: "n", Type: Integer}, From: "-9223372036854775808", To: "9223372036854775807", Step: "1"}
	if n := r.Count(); n != MaxPartitions+1 {
		t.Errorf("%d steps are counted of all there are", n)
	}
}
