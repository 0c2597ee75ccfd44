package signals

import (
	"net/http"
	"strings"
	"testing"
)

// FuzzLinkTargets: whatever a header holds, what is found of it was written as
// a target, and is bounded.
func FuzzLinkTargets(f *testing.F) {
	for _, s := range []string{`</a>; rel=canonical`, `<a>; rel="next canonical", <b>;rel=canonical;anchor="#"`, `<a`, `<a>; rel="`, `,,<>;rel=canonical`, `<a>;rel*=x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		found := LinkTargets(http.Header{"Link": {field}}, "canonical")
		if len(found) > maxLinks || len(found) > 0 && len(field) > maxField {
			t.Fatalf("%d targets", len(found))
		}
		for _, target := range found {
			if strings.ContainsAny(target, "<>") || !strings.Contains(field, target) {
				t.Errorf("%q in %q", target, field)
			}
		}
	})
}
