package config

import (
	"cmp"
	"mime"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler/alert"
)

// Alert is who is told of a daemon's runs, and of which. Exactly one of Webhook and
// Command is set.
type Alert struct {
	Webhook    string        `yaml:"webhook" doc:"An http or https address that a JSON message is posted to. Give one that holds a key as ${NAME}."`
	Command    []string      `yaml:"command" doc:"A program and its arguments, started without a shell; its standard input is the JSON message."`
	Template   string        `yaml:"template" doc:"What is sent instead of the message as JSON: a template of Go's text/template with the message's fields, such as {\"text\": {{json .Text}}}. docs/serve.md names them."`
	Type       string        `yaml:"content_type" default:"(application/json, or text/plain with a template)" doc:"The media type of what a webhook is sent."`
	On         []string      `yaml:"on" default:"(failure, drift and no_records)" enum:"failure,drift,no_records,too_slow,politeness_debt" doc:"What is told of: a run that failed, records that drifted, a run without a record, one that takes longer than slower_than or was stopped by its deadline, a host that asks to be left alone for longer than debt_over."`
	SlowerThan time.Duration `yaml:"slower_than" default:"0s" max:"720h" doc:"The time after which a run is too slow, counted from when the daemon began or resumed it."`
	DebtOver   time.Duration `yaml:"debt_over" default:"10m" max:"720h" doc:"How long a host must ask to be left alone, by Retry-After or a rate limit, to be told of."`
	Timeout    time.Duration `yaml:"timeout" default:"10s" min:"1s" max:"5m" doc:"For one try, of three."`
}

// Wants tells whether an alert is for what has happened.
func (a *Alert) Wants(kind string) bool {
	if len(a.On) == 0 {
		return kind != "too_slow" && kind != "politeness_debt"
	}
	return slices.Contains(a.On, kind)
}

func (l *loader) checkAlerts(c *Config) {
	for i := range c.Alerts {
		a := &c.Alerts[i]
		n := l.item(i, "alerts")
		if n == nil || n.broken || n.lacking() {
			continue
		}
		if (a.Webhook == "") == (len(a.Command) == 0 || a.Command[0] == "") {
			l.errorf(n.place, "webhook: ${HOOK}, or command: [program, argument]", "alerts: want a webhook or a command, one of them")
			continue
		}
		if u, err := url.Parse(a.Webhook); a.Webhook != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			l.errorf(n.below([]string{"webhook"}).place, "such as https://hooks.example/amble", "alerts: the webhook is not an http or https address")
		}
		slow := slices.Contains(a.On, "too_slow")
		if slow && a.SlowerThan == 0 && c.Schedule.Deadline == 0 || !slow && a.SlowerThan > 0 {
			l.errorf(n.place, "such as slower_than: 2h and too_slow in on", "alerts: too_slow and slower_than belong together")
		}
		if a.Template != "" {
			if _, err := alert.ParseTemplate(a.Template); err != nil {
				l.errorf(n.below([]string{"template"}).place, `such as {"text": {{json .Text}}}`, "alerts: the template: %v", err)
			}
		}
		if _, _, err := mime.ParseMediaType(a.Type); a.Type != "" && (err != nil || !strings.Contains(a.Type, "/")) {
			l.errorf(n.below([]string{"content_type"}).place, "such as application/json", "alerts: %q is no media type", a.Type)
		}
	}
}

// Target is where messages go, and in which form.
func (a *Alert) Target() alert.Target {
	t := alert.Target{Webhook: a.Webhook, Command: a.Command, Timeout: a.Timeout, Type: a.Type}
	if a.Template != "" {
		t.Template, _ = alert.ParseTemplate(a.Template) // lint has seen to it
		t.Type = cmp.Or(a.Type, "text/plain; charset=utf-8")
	}
	return t
}
