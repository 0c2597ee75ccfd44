package cmd

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Explaining while a run is at work tells what the run knows, from its state
// alone: nothing is sent, and the run is not disturbed.
func TestExplainWhileRunning(t *testing.T) {
	t.Parallel()
	s := serveLists(t, map[string]string{
		"a.shop.example/robots.txt": "User-agent: *\nCrawl-delay: 0.3\nDisallow: /no\nContent-Signal: ai-train=no\n",
		"a.shop.example/1":          "busy",
	})
	path := s.config(t, `
name: shop
seeds: [http://a.shop.example/1, http://a.shop.example/2]
politeness: {contact: a@b.example, delay: 200ms, group: domain, hours: "00:00-24:00"}
fetch:
  allow_private: true
  resolve:
`, "a.shop.example")
	run := exec.CommandContext(t.Context(), "amble", "run", path)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = run.Process.Kill()
		_ = run.Wait()
	}()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if text := explained(t, path, "http://a.shop.example/1", "--offline"); strings.Contains(text, "retry as") {
			break
		}
	}
	text := explained(t, path, "http://a.shop.example/1")
	for _, want := range []string{
		"robots.txt allowed: no rule for \"amble\" matches",
		"usage signals ai-train=n",
		"delay 300ms between requests to http://a.shop.example, asked for by robots.txt Crawl-delay, line 2",
		"200ms between requests, by config delay\n",
		"200ms between requests, by config delay of domain shop.example\n",
		"300ms between requests, by robots.txt Crawl-delay, line 2\n",
		", by Retry-After of domain shop.example\n",
		"\ncrawl window 00:00-24:00 UTC\n",
		"at once 1 request",
		"shares both with the hosts of domain shop.example",
		"not forgiven 1 answer of 429 or 503",
		"asked for by Retry-After of domain shop.example\n",
		"frontier retry as rate_limited with status 429 at attempt 2: status 429, as of the last commit of the run at work\n",
		"verdict would fetch\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line with %q in\n%s", want, text)
		}
	}
	if asked := strings.Join(s.requests(), " "); asked != "a.shop.example/robots.txt a.shop.example/1" {
		t.Errorf("requests: %s", asked)
	}
	if text := explained(t, path, "http://a.shop.example/no"); !strings.Contains(text, "verdict would not fetch: robots.txt line 3: Disallow: /no\n") {
		t.Error(text)
	}
}

// explained is what amble explain prints, with its columns a blank apart.
func explained(t *testing.T, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&said)
	root.SetArgs(append([]string{"explain"}, args...))
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	var text strings.Builder
	for line := range strings.Lines(out.String()) {
		text.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return text.String()
}
