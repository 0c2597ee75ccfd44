package fetch

import (
	"net/http"

	"github.com/amblecrawl/amble/crawler"
)

// Saved makes the response that a body would have had with this header and
// status 200: media type and charset are found as for a fetched one.
func Saved(header http.Header, body []byte) *crawler.Response {
	resp := &crawler.Response{Status: http.StatusOK, Header: header, Body: body, Wire: int64(len(body))}
	recognise(resp, false)
	return resp
}
