package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/amblecrawl/amble/fixtures/hostile"
	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// The webs of a measurement run as processes of their own, so that neither takes the
// other's time, nor the crawler's. Each prints where it is and ends with its input.

// serveHealthyWeb is the command healthyweb HOSTS PAGES. When each host was asked for
// all its pages and robots.txt, it prints how many nanoseconds passed since the
// first request.
func serveHealthyWeb() {
	hosts, err := strconv.Atoi(os.Args[1])
	check(err)
	pages, err := strconv.Atoi(os.Args[2])
	check(err)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	check(err)
	web := synthetic.New(synthetic.Options{Hosts: hosts, Pages: pages})
	fmt.Println(l.Addr())
	var first, served atomic.Int64
	server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first.CompareAndSwap(0, time.Now().UnixNano())
		web.ServeHTTP(w, r)
		if served.Add(1) == int64(hosts*(pages+1)) {
			fmt.Println(time.Now().UnixNano() - first.Load())
		}
	})}
	go func() { check(server.Serve(l)) }() // ends with the process
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// whereHostile is what a hostile web says of itself.
type whereHostile struct {
	Resolve map[string]string
	Roots   []byte
}

// serveHostileWeb is the command hostileweb, which serves all cases.
func serveHostileWeb() {
	web, err := hostile.Start(hostile.Cases())
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(whereHostile{web.Resolve(), web.Roots()}))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// check ends a command that has no test to fail.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
