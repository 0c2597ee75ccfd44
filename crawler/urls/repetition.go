package urls

import "strings"

// maxUnit is the longest run of segments whose repetition is looked for.
const maxUnit = 8

// Repetition is a path that goes in circles, as relative links make it on a
// server that answers to any path.
type Repetition struct {
	Start string // the path before the circles
	Unit  string // one round, such as "/a/b"
	Times int    // rounds; 1 for a path without any
}

// Repetition returns the run of up to 8 segments that follows itself most often
// in the path. Numbers alone make no unit: /2026/10/10/ and coordinates of maps
// are no circles.
func (u URL) Repetition() Repetition {
	path := strings.TrimSuffix(u.Path(), "/")
	best := Repetition{Times: 1}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for unit := 1; unit <= min(maxUnit, len(segments)/2); unit++ {
		start, times := rounds(segments, unit)
		if times > best.Times {
			best = Repetition{Start: joined(segments[:start]), Unit: joined(segments[start : start+unit]), Times: times}
		}
	}
	return best
}

func joined(segments []string) string {
	if len(segments) == 0 {
		return ""
	}
	return "/" + strings.Join(segments, "/")
}

// rounds finds where a unit of that many segments follows itself most often.
func rounds(segments []string, unit int) (start, times int) {
	times = 1
	for i, same := unit, 0; i < len(segments); i++ {
		if segments[i] != segments[i-unit] {
			same = 0
			continue
		}
		same++
		first := i - unit - same + 1
		if n := same/unit + 1; n > times && !allNumbers(segments[first:first+unit]) {
			start, times = first, n
		}
	}
	return start, times
}

func allNumbers(segments []string) bool {
	for _, s := range segments {
		if s == "" {
			return false
		}
		for i := range len(s) {
			if !isDigit(s[i]) {
				return false
			}
		}
	}
	return true
}
