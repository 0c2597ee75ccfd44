package ledger

import (
	"fmt"
	"time"
)

// hours are a part of the day, by the clock on a wall. The zero value is the
// whole day.
type hours struct {
	from, to time.Duration // since midnight; to is not within
	zone     *time.Location
	text     string
}

func parseHours(when, zone string) (w hours, err error) {
	if when == "" {
		return w, nil
	}
	if w.zone, err = time.LoadLocation(zone); err != nil {
		return w, fmt.Errorf("ledger: time zone %q is not known here", zone)
	}
	var h1, m1, h2, m2 int
	if n, err := fmt.Sscanf(when, "%d:%d-%d:%d", &h1, &m1, &h2, &m2); n != 4 || err != nil {
		return w, fmt.Errorf("ledger: %q is not a window such as 22:00-06:00", when)
	}
	clock := func(h, m int) time.Duration { return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute }
	w.from, w.to = clock(h1, m1), clock(h2, m2)
	w.text = when + " " + w.zone.String()
	return w, nil
}

// timetable is when a policy lets requests be sent.
type timetable struct {
	usual hours
	hosts map[string]hours // by the text of exceptions
}

func (p *Policy) timetable() (t timetable, err error) {
	if t.usual, err = parseHours(p.Hours, p.Zone); err != nil {
		return t, err
	}
	t.hosts = make(map[string]hours)
	for _, x := range p.Hosts {
		if t.hosts[x.Hours+" "+x.Zone], err = parseHours(x.Hours, x.Zone); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (t *timetable) of(p *Policy, origin string) hours {
	if x := p.exception(origin); x.Hours != "" {
		return t.hosts[x.Hours+" "+x.Zone]
	}
	return t.usual
}

// open reports whether the instant, which was cut to Precision, may lie within.
func (w *hours) open(t time.Time) bool {
	return w.zone == nil || w.holds(t) || w.holds(t.Add(Precision-1))
}

func (w *hours) holds(t time.Time) bool {
	t = t.In(w.zone)
	at := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	if w.from < w.to {
		return w.from <= at && at < w.to
	}
	return at >= w.from || at < w.to
}
