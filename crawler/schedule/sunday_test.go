package schedule

import (
	"testing"
	"time"
)

// Crontabs call Sunday 0 and 7.
func TestSundayIsSeven(t *testing.T) {
	for seven, want := range map[string]string{
		"0 6 * * 7": "0 6 * * 0", "0 6 * * 5-7": "0 6 * * 5,6,0", "0 6 * * fri-7": "0 6 * * fri,sat,sun",
		"30 0 6 * * 1-7/2": "30 0 6 * * 1,3,5,0", "0 6 * * 2,7": "0 6 * * 2,0", "0 6 * * 0-7": "0 6 * * *", "7 7 7 7 *": "7 7 7 7 *", "0 6 * * */7": "0 6 * * 0",
	} {
		a, err := Compile(Spec{Cron: seven})
		if err != nil {
			t.Errorf("%s: %v", seven, err)
			continue
		}
		b, err := Compile(Spec{Cron: want})
		if err != nil {
			t.Fatal(err)
		}
		x := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		y := x
		for range 10 {
			if x, y = a.Next(x), b.Next(y); !x.Equal(y) {
				t.Errorf("%s: %v, but %s: %v", seven, x, want, y)
				break
			}
		}
	}
	for _, wrong := range []string{"0 6 * * 8", "0 6 * * 8-7", "0 6 * * 7-7/0", "0 6 * * x-7", "0 6 * * 1-7/9999999999999999999", "0 6 * * -7"} {
		if _, err := Compile(Spec{Cron: wrong}); err == nil {
			t.Errorf("%s: no mistake found", wrong)
		}
	}
	if _, err := Compile(Spec{Cron: "0 6 * * 1-7/9223372036854775807"}); err != nil { // one day, and an end
		t.Error(err)
	}
}
