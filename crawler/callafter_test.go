package crawler

import (
	"net/http"
	"reflect"
	"testing"
)

// What goes to another origin keeps no field that may be secret.
func TestCallAfterARedirect(t *testing.T) {
	post := &Call{Method: "POST", Body: "a", Repeat: true, Header: http.Header{"Content-Type": {"text/plain"}, "Authorization": {"secret"}, "Accept": {"text/html"}}}
	for _, tt := range []struct {
		call   *Call
		status int
		same   bool
		want   *Call
	}{
		{nil, 307, true, nil},
		{post, 307, true, post},
		{post, 308, false, &Call{Method: "POST", Body: "a", Repeat: true, Header: http.Header{"Content-Type": {"text/plain"}, "Accept": {"text/html"}}}},
		{post, 302, true, &Call{Header: http.Header{"Authorization": {"secret"}, "Accept": {"text/html"}}}},
		{post, 303, false, &Call{Header: http.Header{"Accept": {"text/html"}}}},
		{post, 200, true, &Call{Header: http.Header{"Authorization": {"secret"}, "Accept": {"text/html"}}}},
		{&Call{Method: "PUT", Body: "a"}, 302, true, &Call{Method: "PUT", Body: "a"}},
		{&Call{Method: "PUT", Body: "a"}, 303, true, nil},
		{&Call{Header: http.Header{"X-Key": {"secret"}}}, 302, false, nil},
	} {
		if got := tt.call.after(tt.status, tt.same); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%+v after %d (same origin %v) is %+v, want %+v", tt.call, tt.status, tt.same, got, tt.want)
		}
	}
	if len(post.Header) != 3 {
		t.Error("the call itself was changed")
	}
}
