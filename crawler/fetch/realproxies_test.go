package fetch

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// startProxy runs a program on a free port of loopback until the test ends.
func startProxy(t *testing.T, program string, args func(dir, port string) (config string, args []string)) (address string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed; .ci/needs names its package", program)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	dir := t.TempDir()
	_, port, _ := net.SplitHostPort(address)
	config, list := args(dir, port)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, list...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address
		}
		if time.Since(begin) > patient {
			t.Fatalf("%s does not listen: %s", program, out.String())
		}
	}
}

// What is told of a real http proxy: a host that it cannot reach, its own refusals, and
// its page about a request that it takes for its own.
func TestTinyproxy(t *testing.T) {
	plain, secure := origin(t, false), origin(t, true)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	address := startProxy(t, "tinyproxy", func(dir, port string) (string, []string) {
		_, allowed, _ := net.SplitHostPort(strings.TrimPrefix(secure.URL, "https://"))
		return fmt.Sprintf("Port %s\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 10\nBasicAuth me hunter2\nConnectPort %s\nLogLevel Critical\n", port, allowed),
			[]string{"-d", "-c", filepath.Join(dir, "conf")}
	})
	client := func(user string) *Client {
		return newClient(t, through(t, ProxyOptions{URLs: []string{"http://" + user + "@" + address}}), func(o *Options) { o.TLSConfig = trusting(secure) })
	}
	c := client("me:hunter2")
	mustGet(t, c, plain.URL+"/page", crawler.FetchOptions{})
	mustGet(t, c, secure.URL+"/page", crawler.FetchOptions{})
	// It answers by itself about a host that cannot be reached, and says so by no field:
	// its page is taken for one of the host.
	resp, err := get(t, c, dead.URL+"/", crawler.FetchOptions{})
	if err != nil || resp.Status != 500 || resp.Header.Get("Via") != "" {
		t.Errorf("%v, %+v", err, resp)
	}
	// A port that it makes no tunnels to is the URL's own end.
	_, err = get(t, c, strings.Replace(dead.URL, "http:", "https:", 1), crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassProxy, false)
	mustGet(t, c, secure.URL+"/page", crawler.FetchOptions{})

	wrong := client("me:hunter3")
	for _, page := range []string{plain.URL, secure.URL} {
		_, err = get(t, wrong, page+"/", crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassProxy, false)
		if strings.Contains(err.Error(), "hunter3") {
			t.Errorf("%v", err)
		}
	}
}

// A real SOCKS proxy carries, and one that refuses the password is told of at once.
func TestDante(t *testing.T) {
	plain := origin(t, false)
	for _, method := range []string{"none", "username"} {
		address := startProxy(t, "danted", func(dir, port string) (string, []string) {
			return fmt.Sprintf(`logoutput: stderr
internal: 127.0.0.1 port = %s
external: lo
socksmethod: %s
clientmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
`, port, method), []string{"-f", filepath.Join(dir, "conf"), "-p", filepath.Join(dir, "pid")}
		})
		for _, scheme := range []string{"socks5", "socks5h"} {
			c := newClient(t, through(t, ProxyOptions{URLs: []string{scheme + "://nobody:hunter2@" + address}}))
			_, err := get(t, c, plain.URL+"/page", crawler.FetchOptions{})
			if method == "none" {
				if err != nil {
					t.Errorf("%s: %v", scheme, err)
				}
				continue
			}
			wantClass(t, err, crawler.ClassProxy, false)
			if !strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v", err)
			}
		}
	}
}
