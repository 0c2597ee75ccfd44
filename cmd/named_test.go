package cmd

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// A private address is reached where the command line names it, and not by a
// redirect from there.
func TestRobotsReachesNamedAddresses(t *testing.T) {
	other, err := net.Listen("tcp", publicIP+":0")
	if err != nil {
		t.Skip("the system has a single loopback address:", err)
	}
	defer func() { _ = other.Close() }()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+other.Addr().String()+"/robots.txt", http.StatusFound)
	}))
	defer server.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("User-agent: *\nDisallow: /x"))
	}))
	defer plain.Close()
	byName := strings.Replace(plain.URL, "127.0.0.1", "localhost", 1)
	cmd := exec.CommandContext(t.Context(), "amble", "robots", "--agent", "bookbot", server.URL+"/x", plain.URL+"/x", byName+"/x")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err, stderr.String())
	}
	want := "disallow\t0\t" + server.URL + "/x\ndisallow\t2\t" + plain.URL + "/x\ndisallow\t2\t" + byName + "/x\n"
	if stdout.String() != want {
		t.Errorf("got %q, want %q", stdout.String(), want)
	}
	if !strings.Contains(stderr.String(), publicIP+" is loopback") {
		t.Errorf("stderr: %s", stderr.String())
	}
}
