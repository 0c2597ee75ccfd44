package config

import (
	"regexp"
	"strings"
	"time"
)

// window is a part of the day, as the politeness gate reads it.
var window = regexp.MustCompile(`^([01]?\d|2[0-3]):[0-5]\d\s*-\s*(([01]?\d|2[0-3]):[0-5]\d|24:00)$`)

// checkHours wants parts of the day and zones that are known here, for all hosts
// and for single ones.
func (l *loader) checkHours(p *Politeness) {
	windows := l.checkWindow(p.Hours, "politeness", "hours")
	l.checkZone(p.Timezone, "politeness", "timezone")
	for i := range p.Hosts {
		h := &p.Hosts[i]
		own := l.checkWindow(h.Hours, "politeness", "hosts", h.Host, "hours")
		l.checkZone(h.Timezone, "politeness", "hosts", h.Host, "timezone")
		if at := []string{"politeness", "hosts", h.Host, "timezone"}; h.Timezone != "" && !own && p.Hours == "" {
			l.errorf(l.keyPlace(at...), "add hours, such as 22:00-06:00", "politeness.hosts: %q has a time zone and no hours", short(h.Host))
		}
		windows = windows || own
	}
	if l.given("politeness", "timezone") && !windows {
		l.warnf(l.keyPlace("politeness", "timezone"), "add politeness.hours", "politeness.timezone is for hours, and there are none")
	}
}

// checkWindow tells whether there is one.
func (l *loader) checkWindow(text string, path ...string) bool {
	n := l.at(path...)
	if !l.given(path...) || n.broken || n.kind == nullKind || n.kind >= listKind {
		return false
	}
	from, to, _ := strings.Cut(text, "-")
	switch key := strings.Join(path, "."); {
	case !window.MatchString(text):
		l.errorf(n.place, "write it as 22:00-06:00", "%s: not a part of the day; found %s", key, n)
	case minutes(from) == minutes(to):
		l.errorf(n.place, "write 00:00-24:00 for the whole day", "%s: it ends where it begins; found %s", key, n)
	}
	return true
}

// minutes is a clock's face without what may be written in several ways.
func minutes(clock string) string { return strings.TrimLeft(strings.TrimSpace(clock), "0") }

func (l *loader) checkZone(zone string, path ...string) {
	n := l.at(path...)
	if !l.given(path...) || n.broken || n.kind == nullKind || n.kind >= listKind {
		return
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "" {
		l.errorf(n.place, "such as Europe/Berlin", "%s: no zone of that name; found %s", strings.Join(path, "."), n)
	}
}
