package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
)

// functions are what the templates write figures with.
var functions = template.FuncMap{
	"count": func(n int64) string { return grouped(n) },
	"many":  many,
	"bytes": size,
	"utc":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"from":  from,
	"took":  took,
	"of":    func(r history.Run) Bar { return barOf(&r) },
	"spark": sparkOf,
	"percent": func(part float64) string {
		return strconv.FormatFloat(math.Floor(part*1000)/10, 'f', -1, 64) + " %"
	},
	"rate":   func(r float64) string { return strconv.FormatFloat(r, 'f', 1, 64) },
	"secs":   func(s float64) string { return took(time.Duration(s * float64(time.Second))) },
	"words":  func(s any) string { return strings.ReplaceAll(fmt.Sprint(s), "_", " ") },
	"next":   func(i int) int { return i + 1 },
	"table":  tableOf,
	"host":   hostLink,
	"pause":  pauseOf,
	"owed":   owedOf,
	"became": became,
	"dict": func(pairs ...any) (map[string]any, error) {
		m := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			m[fmt.Sprint(pairs[i])] = pairs[i+1]
		}
		return m, nil
	},
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// many writes a count with what is counted, "1 page" or "2 pages".
func many(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(n) + " " + what
}

// size writes bytes in binary units.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, i := float64(n), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[i]
}

// took writes a duration with its two largest units.
func took(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	if d < time.Minute {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	minutes := int64(d / time.Minute)
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", minutes, int64(d/time.Second)%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
	}
	return fmt.Sprintf("%d d %d h", minutes/60/24, minutes/60%24)
}

// from writes a time as seen from now.
func from(now, t time.Time) string {
	d := t.Sub(now)
	if d.Abs() < time.Second {
		return "now"
	}
	if d > 0 {
		return "in " + rough(d)
	}
	return rough(-d) + " ago"
}

// rough writes a duration with its largest unit.
func rough(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if d >= 2*u.unit {
			return strconv.FormatInt(int64((d+u.unit/2)/u.unit), 10) + " " + u.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " s"
}

// spark is a plot of a crawl's latest runs: a bar each, as high as its pages.
type spark struct {
	Width, Height int
	Bars          []sparkBar
	Label         string
}

type sparkBar struct {
	X, Y, Height int
	Status       history.Status
	Title        string
	Number       int64
}

// Sizes of a plot, in its own units.
const (
	barWidth    = 6
	barStep     = 8
	sparkHeight = 28
	leastBar    = 3 // so that a run without a page is seen
)

func sparkOf(bars []Bar) spark {
	s := spark{Width: barStep*recent - (barStep - barWidth), Height: sparkHeight}
	most, finished := int64(1), 0
	for i := range bars {
		most = max(most, bars[i].seen())
		if bars[i].Status == history.Finished {
			finished++
		}
	}
	for i, b := range slices.Backward(bars) {
		high := leastBar + int(float64(sparkHeight-leastBar)*float64(b.seen())/float64(most))
		s.Bars = append(s.Bars, sparkBar{
			X: (len(bars) - 1 - i) * barStep, Y: sparkHeight - high, Height: high, Status: b.Status, Number: b.Number,
			Title: fmt.Sprintf("run %d: %s, %s, %s, %s", b.Number, b.Status, many(b.Pages, "page"), many(b.Records, "record"), took(b.Took())),
		})
	}
	s.Label = fmt.Sprintf("The last %d runs, %d of them finished", len(bars), finished)
	return s
}
