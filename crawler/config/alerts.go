package config

import (
	"net/url"
	"slices"
	"time"
)

// Alert is who is told of a daemon's runs, and of which. Exactly one of Webhook and
// Command is set.
type Alert struct {
	Webhook    string        `yaml:"webhook" doc:"An http or https address that a JSON message is posted to. Give one that holds a key as ${NAME}."`
	Command    []string      `yaml:"command" doc:"A program and its arguments, started without a shell; its standard input is the JSON message."`
	On         []string      `yaml:"on" default:"(failure, drift and no_records)" enum:"failure,drift,no_records,too_slow" doc:"What is told of: a run that failed, records that drifted, a run without a record, one that takes longer than slower_than."`
	SlowerThan time.Duration `yaml:"slower_than" default:"0s" max:"720h" doc:"The time after which a run is too slow, counted from when the daemon began or resumed it."`
	Timeout    time.Duration `yaml:"timeout" default:"10s" min:"1s" max:"5m" doc:"For one try, of three."`
}

// Wants tells whether an alert is for what has happened.
func (a *Alert) Wants(kind string) bool {
	if len(a.On) == 0 {
		return kind != "too_slow"
	}
	return slices.Contains(a.On, kind)
}

func (l *loader) checkAlerts(list []Alert) {
	for i := range list {
		a := &list[i]
		n := l.item(i, "alerts")
		if n == nil || n.broken {
			continue
		}
		if (a.Webhook == "") == (len(a.Command) == 0 || a.Command[0] == "") {
			l.errorf(n.place, "webhook: ${HOOK}, or command: [program, argument]", "alerts: want a webhook or a command, one of them")
			continue
		}
		if u, err := url.Parse(a.Webhook); a.Webhook != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			l.errorf(n.below([]string{"webhook"}).place, "such as https://hooks.example/amble", "alerts: the webhook is not an http or https address")
		}
		if slices.Contains(a.On, "too_slow") != (a.SlowerThan > 0) {
			l.errorf(n.place, "such as slower_than: 2h and too_slow in on", "alerts: too_slow and slower_than belong together")
		}
	}
}
