package monitor

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Standing is where a crawl of a daemon stands, for its metrics.
type Standing struct {
	Crawl           string
	Running, Paused bool
	Unkept          bool             // the history lacks something of it
	Next            time.Time        // zero: none
	LastEnded       time.Time        // zero: no run has ended yet
	LastTook        time.Duration    // of the run that ended last
	LastGood        bool             // that run finished
	Ended           map[string]int64 // runs that ended in this process, by status
}

// Metrics serves the figures of a board in Prometheus' text format. Labels are a
// crawl's name, the class of an outcome and the status of a run, and nothing that a
// site could make up. standings is asked at each request.
func Metrics(b *Board, standings func() []Standing) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{b, standings})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

type collector struct {
	board     *Board
	standings func() []Standing
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("amble_crawl_"+name, help, append([]string{"crawl"}, labels...), nil)
}

// The metrics of a crawl.
var (
	requestsTotal = describe("requests_total", "HTTP requests sent, those for robots.txt and sitemaps included.")
	bytesTotal    = describe("received_bytes_total", "Bytes received, as sent over the wire.")
	recordsTotal  = describe("records_total", "Records read from pages.")
	outcomesTotal = describe("outcomes_total", "URLs by what became of them: docs/outcomes.md has the classes.", "class")
	runsTotal     = describe("runs_total", "Runs that ended, by their status.", "status")

	running  = describe("running", "1 while a run goes on.")
	paused   = describe("paused", "1 while occurrences pass without runs.")
	unkept   = describe("history_behind", "1 while the history cannot take what became of it.")
	inFlight = describe("in_flight", "Requests in flight.")
	queued   = describe("queued", "URLs that wait for their turn.")
	waiting  = describe("waiting_hosts", "Hosts that wait until they may be asked again.")

	nextRun   = describe("next_run_timestamp_seconds", "When the next run is due.")
	lastEnded = describe("last_run_timestamp_seconds", "When the last run ended.")
	lastTook  = describe("last_run_duration_seconds", "How long the last run took.")
	lastGood  = describe("last_run_success", "1 if the last run finished, 0 if it failed or was stopped.")
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		requestsTotal, bytesTotal, recordsTotal, outcomesTotal, runsTotal, running, paused, unkept, inFlight, queued, waiting,
		nextRun, lastEnded, lastTook, lastGood,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for name, n := range c.board.Counts() {
		counter(requestsTotal, n.Requests, name)
		counter(bytesTotal, n.Bytes, name)
		counter(recordsTotal, n.Records, name)
		for class, many := range n.Outcomes {
			counter(outcomesTotal, many, name, string(class))
		}
	}
	standings := c.standings()
	for i := range standings {
		s := &standings[i]
		for status, n := range s.Ended {
			counter(runsTotal, n, s.Crawl, status)
		}
		c.gauges(to, s)
	}
}

func (c *collector) gauges(to chan<- prometheus.Metric, s *Standing) {
	gauge := func(d *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, s.Crawl)
	}
	gauge(running, truth(s.Running))
	gauge(paused, truth(s.Paused))
	gauge(unkept, truth(s.Unkept))
	if !s.Next.IsZero() {
		gauge(nextRun, seconds(s.Next))
	}
	if !s.LastEnded.IsZero() {
		gauge(lastEnded, seconds(s.LastEnded))
		gauge(lastTook, s.LastTook.Seconds())
		gauge(lastGood, truth(s.LastGood))
	}
	if m := c.board.Live(s.Crawl); m != nil {
		now := m.Snapshot()
		gauge(inFlight, float64(now.InFlight))
		gauge(queued, float64(now.Frontier.Queued))
		gauge(waiting, float64(now.Frontier.Waiting))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
