package cmd

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/serve"
	"github.com/amblecrawl/amble/crawler/history"
)

// A run is started and stopped by another process, with the daemon's token.
func TestRunsThroughTheAPI(t *testing.T) {
	t.Parallel()
	at, err := net.Listen("tcp", "127.0.0.1:0") // for a port that is free
	if err != nil {
		t.Fatal(err)
	}
	address := at.Addr().String()
	_ = at.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(`
seeds: ["http://127.0.0.1:1/"]
politeness: {contact: a@b.example}
fetch: {allow_private: true, retries: 100}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	const token = "a-token-that-is-long-enough"
	s := startServe(t, dir, "--listen", address, "--token", token)
	ask := func(with string, args ...string) (string, int) {
		cmd := exec.Command("amble", append(append([]string{"runs"}, args...), "--url", "http://"+address)...)
		cmd.Env = append(os.Environ(), serve.TokenVariable+"="+with)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	awaiting(t, "the daemon", func() bool { _, code := ask(token, "cancel", "a"); return code == exit.Nothing })
	for _, c := range []struct {
		token, verb, crawl string
		code               int
		held               string
	}{
		{"", "resume", "a", exit.Config, "the token is missing or wrong"},
		{token, "resume", "b", exit.Config, "no such crawl"},
		{token, "resume", "a", exit.OK, "a: "},
		{token, "resume", "a", exit.Nothing, "running already"},
		{token, "cancel", "a", exit.OK, "a: "},
	} {
		if out, code := ask(c.token, c.verb, c.crawl); code != c.code || !strings.Contains(out, c.held) {
			t.Errorf("%s %s: %d: %s", c.verb, c.crawl, code, out)
		}
	}
	awaiting(t, "the end of the run", func() bool {
		runs := runsOf(t, dir)
		return len(runs) == 1 && (runs[0].Status == history.Stopped || runs[0].Status == history.Skipped)
	})
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, &s.err)
	}
}
