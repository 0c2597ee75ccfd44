package selectors

import (
	"net/url"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// FuzzForms fills in the forms of arbitrary pages: what is filled in arrives, and
// the body is one that can be sent.
func FuzzForms(f *testing.F) {
	for _, s := range []string{
		`<form action=/s?x#y method=post><input name=q><select name=s multiple><option selected>1</select><textarea name=t>a&#13;b</textarea><button name=b>`,
		`<form id=f accept-charset="shift_jis x"><fieldset disabled><input name=q></fieldset></form><input form=f name=q value="ü"><input type=image name=i form=f>`,
		`<table><form action="//["><tr><td><input name=q></form></table><datalist><option></datalist>`, `<form method=dialog>`, `<form enctype=multipart/form-data method=post>`,
	} {
		f.Add([]byte(s), "a b&c", "windows-1252")
	}
	f.Fuzz(func(t *testing.T, body []byte, value, charset string) {
		if len(body) > 4<<10 || len(value) > 100 || len(charset) > 40 {
			return
		}
		value = strings.ToValidUTF8(value, "")
		x := &LinkRule{Form: &Form{Selector: byCSS("form"), Fields: map[string][]string{"q": {value}}}}
		p := page(t, strings.ToValidUTF8(string(body), "\ufffd"))
		p.Response.Charset = charset
		err := x.Find(t.Context(), p, crawler.NewEmitter("links", p, &crawler.Result{}), func(ref crawler.Reference) bool {
			sent := ref.Ref[strings.Index(ref.Ref, "?")+1:]
			if ref.Call != nil {
				sent = ref.Call.Body
				if len(sent) <= crawler.MaxCallBody && ref.Call.Check() != nil {
					t.Errorf("%q cannot be sent: %v", sent, ref.Call.Check())
				}
			}
			set, err := url.ParseQuery(sent)
			if err != nil || !set.Has("q") {
				t.Errorf("%q lacks what was filled in: %v", sent, err)
			}
			return true
		})
		if err != nil {
			t.Log(err) // a page that has no tree
		}
	})
}
