package monitor

import "time"

// window is the time over which the rate is measured.
const window = 10 * time.Second

// meter measures a counter's rate over the last window from samples kept at
// most every half second, so that its memory is bounded.
type meter struct {
	samples [24]sample
	first   int // index of the oldest
	n       int
}

type sample struct {
	at    time.Time
	count int64
}

func (m *meter) add(at time.Time, count int64) {
	if m.n > 0 {
		last := &m.samples[(m.first+m.n-1)%len(m.samples)]
		if m.n > 1 && at.Sub(last.at) < window/20 {
			last.count = count
			return
		}
	}
	if m.n == len(m.samples) {
		m.first = (m.first + 1) % len(m.samples)
		m.n--
	}
	m.samples[(m.first+m.n)%len(m.samples)] = sample{at, count}
	m.n++
}

func (m *meter) perSecond(now time.Time) float64 {
	for m.n > 1 && now.Sub(m.samples[m.first].at) > window {
		m.first = (m.first + 1) % len(m.samples)
		m.n--
	}
	if m.n < 2 {
		return 0
	}
	oldest, newest := m.samples[m.first], m.samples[(m.first+m.n-1)%len(m.samples)]
	over := now.Sub(oldest.at).Seconds()
	if over <= 0 {
		return 0
	}
	return float64(newest.count-oldest.count) / over
}
