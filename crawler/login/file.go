package login

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// receiver looks into what comes in the place of a file, before it is received: sites
// answer with their form where nobody is logged in.
type receiver struct {
	session *Session
	ctx     context.Context
	url     urls.URL
	turn    turn
	next    func(status int, header http.Header, length int64, body io.Reader) error
	ended   bool          // what came was for nobody, and next does not know of it
	wait    time.Duration // how long it is to be left alone then
}

// receive is as crawler.FetchOptions.Receive.
func (r *receiver) receive(status int, header http.Header, length int64, body io.Reader) error {
	media := mediaType(header)
	if status != http.StatusOK || length > maxShown || media == "" {
		return r.next(status, header, length, body)
	}
	begin, err := io.ReadAll(io.LimitReader(body, maxShown+1))
	if err == nil && len(begin) <= maxShown {
		resp := &crawler.Response{Status: status, Header: header, Body: begin, MediaType: media}
		page := crawler.NewPage(&crawler.Request{URL: r.url}, resp)
		if r.session.opt.Again.seen(r.ctx, page) {
			r.ended, r.wait = true, r.session.ended(r.url.Redacted(), r.turn)
			return nil
		}
	}
	rest := body
	if err != nil { // to be told of where it came
		rest = failing{err}
	}
	return r.next(status, header, length, io.MultiReader(bytes.NewReader(begin), rest))
}

// mediaType is that of an answer which may be for a person or a program to log in by,
// "" of others.
func mediaType(header http.Header) string {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	switch media {
	case "text/html", "application/xhtml+xml", "application/json":
		return media
	}
	return ""
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
