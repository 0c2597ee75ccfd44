package fetch

import (
	"net/http/httptrace"
	"slices"
	"testing"
)

// Hooks that are added are called beside those that were there, these first, and the
// others stay.
func TestWithTrace(t *testing.T) {
	var called []string
	note := func(what string) { called = append(called, what) }
	outer := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GetConn:      func(string) { note("get") },
		WroteHeaders: func() { note("outer wrote") },
		GotConn:      func(httptrace.GotConnInfo) { note("outer got") },
	})
	wrote, got := func() { note("wrote") }, func(httptrace.GotConnInfo) { note("got") }
	for _, c := range []struct {
		trace *httptrace.ClientTrace
		want  []string
	}{
		{httptrace.ContextClientTrace(withTrace(outer, wrote, got)), []string{"get", "outer wrote", "wrote", "outer got", "got"}},
		{httptrace.ContextClientTrace(withTrace(t.Context(), wrote, got)), []string{"wrote", "got"}},
	} {
		called = nil
		if c.trace.GetConn != nil {
			c.trace.GetConn("")
		}
		c.trace.WroteHeaders()
		c.trace.GotConn(httptrace.GotConnInfo{})
		if !slices.Equal(called, c.want) {
			t.Errorf("called %v, not %v", called, c.want)
		}
	}
}
