//go:build unix

package handover

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A socket is handed on, and is the same one for those who connect.
func TestListener(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := Keep(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(kept.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	caller, err := net.Dial("tcp", first.Addr().String()) // while nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	t.Setenv(variable, fmt.Sprint(fd))
	second, err := Listener()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Addr().String() != first.Addr().String() {
		t.Errorf("%v, want %v", second.Addr(), first.Addr())
	}
	c, err := second.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if again, err := Listener(); again != nil || err != nil {
		t.Errorf("taken twice: %v, %v", again, err)
	}
}

// What is no socket, or is another's, is not taken.
func TestNoListener(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		variables map[string]string
		fails     bool
	}{
		"none":      {nil, false},
		"no number": {map[string]string{variable: "x"}, false},
		"the log":   {map[string]string{variable: "2"}, false},
		"a file":    {map[string]string{variable: fmt.Sprint(fd)}, true},
		"not open":  {map[string]string{variable: "9999"}, true},
		"another's": {map[string]string{"LISTEN_PID": "1", "LISTEN_FDS": "1"}, false},
	} {
		for _, v := range []string{variable, "LISTEN_PID", "LISTEN_FDS"} {
			t.Setenv(v, c.variables[v])
		}
		if l, err := Listener(); l != nil || (err != nil) != c.fails {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	script := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := Check(t.Context(), script("good", "#!/bin/sh\n[ \"$1 $2\" = 'serve --check' ]\n"), time.Minute, "serve", "--check"); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{
		script("refuses", "#!/bin/sh\necho a.yaml is wrong; exit 2\n"):  "exit status 2: a.yaml is wrong",
		script("chatters", "#!/bin/sh\nyes | head -c 100000; exit 2\n"): "exit status 2",
		script("hangs", "#!/bin/sh\nsleep 100\n"):                       "did not answer within",
		script("rubbish", "rubbish\n"):                                  "format",
		filepath.Join(dir, "none"):                                      "no such file",
	} {
		within := time.Minute
		if strings.HasSuffix(path, "hangs") {
			within = 200 * time.Millisecond
		}
		if err := Check(t.Context(), path, within); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 2*maxSaid {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Where nothing can be put in its place, the process goes on, its socket too.
func TestReplaceReturns(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := Keep(l)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	rubbish := filepath.Join(t.TempDir(), "rubbish")
	if err := os.WriteFile(rubbish, []byte("rubbish\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(rubbish, []string{"amble"}, kept, syscall.SIGUSR2); err == nil || !strings.Contains(err.Error(), "cannot be started") {
		t.Fatal(err)
	}
	again, err := net.FileListener(kept)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	go func() {
		if c, err := net.Dial("tcp", again.Addr().String()); err == nil {
			_ = c.Close()
		}
	}()
	c, err := again.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func TestNotify(t *testing.T) {
	dir, err := os.MkdirTemp("", "amble") // sockets have short names
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "n")
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify(Ready); err != nil {
		t.Error(err)
	}
	t.Setenv("NOTIFY_SOCKET", path)
	if err := Notify(Ready); err == nil {
		t.Error("nobody is there, and it is told")
	}
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	if err := Notify(Ready); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 100)
	if n, err := manager.Read(data); err != nil || string(data[:n]) != "READY=1" {
		t.Errorf("%q, %v", data[:n], err)
	}
}
