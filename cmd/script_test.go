package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/amblecrawl/amble/fixtures"
)

// TestScripts runs the scripts of testdata, which read as a manual of the
// commands. Besides testscript's own words they have these:
//
//	web HOST...                      serve hosts of the fixture web; $BOOKS is the address of books.example
//	redesign HOST OLD NEW            replace a text in every page of the host from now on
//	validate HOST KIND               have the host tell pages' versions by date, etag, weak or none
//	withdraw HOST PATH               the host answers 404 to the path from now on
//	requests HOST N                  the host must have got N requests by now, robots.txt included
//	rude FAULT NAME                  serve a host that only has that fault at the address $NAME
//	code N PROGRAM ARG...            run a program, which must exit with N
//	interrupt [-twice] FILE PROGRAM ARG...
//	                                 run a program, interrupt it once FILE has text; it must exit with 130
//	proxy NAME FILE                  serve an http proxy at the address $NAME, which notes in FILE what it is asked for
//	receiver NAME FILE               serve a receiver of webhooks at $NAME, which notes batches in FILE; FILE.mood spoils it
//	bucket NAME FILE                 serve S3 at $NAME, which notes in FILE what is put; FILE.mood has it refuse
//	await FILE [TEXT]                wait until FILE has text
//	rewrite FILE OLD NEW             replace text in a file, as saving it in an editor would
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Values[webKey{}] = new(*fixtures.Web)
			return nil
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"web": scriptWeb, "redesign": scriptRedesign, "validate": scriptValidate, "withdraw": scriptWithdraw, "requests": scriptRequests, "rude": scriptRude, "code": scriptCode, "interrupt": scriptInterrupt,
			"await": scriptAwait, "rewrite": scriptRewrite, "proxy": scriptProxy, "receiver": scriptReceiver, "bucket": scriptBucket,
		},
	})
}

type webKey struct{} // of the fixture web that a script serves

// patience is how long a script waits for what must come.
const patience = 30 * time.Second

func wantArgs(ts *testscript.TestScript, neg, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

func scriptWeb(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) > 0, "web HOST...")
	web, err := fixtures.Start(context.Background(), fixtures.Options{Hosts: args})
	ts.Check(err)
	ts.Defer(func() { _ = web.Close() })
	*ts.Value(webKey{}).(**fixtures.Web) = web
	for _, h := range web.Hosts() {
		name, _, _ := strings.Cut(h.Name, ".")
		ts.Setenv(strings.ToUpper(name), h.Addr)
	}
}

func scriptRedesign(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 3, "redesign HOST OLD NEW")
	ts.Check((*ts.Value(webKey{}).(**fixtures.Web)).Redesign(args[0], args[1], args[2]))
}

func scriptValidate(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 2, "validate HOST KIND")
	ts.Check((*ts.Value(webKey{}).(**fixtures.Web)).Validate(args[0], fixtures.Validator(args[1])))
}

func scriptWithdraw(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 2, "withdraw HOST PATH")
	ts.Check((*ts.Value(webKey{}).(**fixtures.Web)).Withdraw(args[0], args[1]))
}

func scriptRequests(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 2, "requests HOST N")
	web := *ts.Value(webKey{}).(**fixtures.Web)
	if got := strconv.Itoa(web.Account().Host(args[0]).Requests); got != args[1] {
		ts.Fatalf("%s got %s requests, want %s", args[0], got, args[1])
	}
}

func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) > 1, "code N PROGRAM ARG...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	checkCode(ts, ts.Exec(args[1], args[2:]...), want)
}

func checkCode(ts *testscript.TestScript, err error, want int) {
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 1 || len(args) == 2, "await FILE [TEXT]")
	text := strings.Join(args[1:], "")
	if !awaitText(ts.MkAbs(args[0]), text) {
		ts.Fatalf("%s does not get the text %q", args[0], text)
	}
}

// awaitText waits until a file has a text, or any when it is empty.
func awaitText(path, text string) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 && bytes.Contains(data, []byte(text)) {
			return true
		}
	}
	return false
}

func scriptRewrite(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 3, "rewrite FILE OLD NEW")
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not have %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}

func scriptInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	twice := len(args) > 0 && args[0] == "-twice"
	if twice {
		args = args[1:]
	}
	wantArgs(ts, neg, len(args) > 1, "interrupt [-twice] FILE PROGRAM ARG...")
	path := ts.MkAbs(args[0])
	if err := os.Truncate(path, 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		ts.Fatalf("%v", err)
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = os.Environ()
	for _, name := range []string{"HOME", "TMPDIR", "BOOKS", "NEWS", "QUOTES", "AWKWARD", "RUDE"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	stderr := &watched{to: ts.Stderr(), until: []byte("stopping"), seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = ts.Stdout(), stderr
	ts.Check(cmd.Start())
	started := awaitText(path, "")
	_ = cmd.Process.Signal(os.Interrupt)
	if twice {
		select {
		case <-stderr.seen:
			_ = cmd.Process.Signal(syscall.SIGTERM)
		case <-time.After(patience):
		}
	}
	giveUp := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	giveUp.Stop()
	if !started {
		ts.Fatalf("%s stayed empty", args[0])
	}
	checkCode(ts, err, 130)
}

// watched passes on what is written and tells when a text has been.
type watched struct {
	to    io.Writer
	until []byte
	text  []byte
	seen  chan struct{}
	once  sync.Once
}

func (w *watched) Write(p []byte) (int, error) {
	if w.text = append(w.text, p...); bytes.Contains(w.text, w.until) {
		w.once.Do(func() { close(w.seen) })
	}
	return w.to.Write(p)
}

// scriptRude serves what no server should send, robots.txt included.
func scriptRude(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 2, "rude FAULT NAME")
	serve, ok := faults[args[0]]
	if !ok {
		ts.Fatalf("no fault %q", args[0])
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[1], l.Addr().String())
	if serve == nil {
		ts.Check(l.Close()) // nobody listens there now
		return
	}
	ts.Defer(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				serve(conn.(*net.TCPConn))
			}()
		}
	}()
}

var faults = map[string]func(*net.TCPConn){
	"refuses": nil,
	"resets":  func(c *net.TCPConn) { _ = c.SetLinger(0) },
	"stalls":  func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) },
	"garbage": func(c *net.TCPConn) {
		await(c)
		_, _ = c.Write(bytes.Repeat([]byte{0xff, 0xfe, 0x80}, 1000))
	},
	"headers": func(c *net.TCPConn) {
		await(c)
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for i := 0; err == nil; i++ {
			_, err = fmt.Fprintf(c, "X-Header-%d: and another one\r\n", i)
		}
	},
}

// await reads until the client has sent something.
func await(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }
