package signals

import (
	"net/http"
	"strings"
)

// Meta is a meta element of a page, by its name and content attributes. Other
// than those with a name need not be given.
type Meta struct{ Name, Content string }

// FromHeader returns what the header of a response says about the use of its
// content: Content-Signal, Content-Usage, TDMRep and RSL.
func FromHeader(header http.Header) []Statement {
	out := joined(header, "Content-Signal", contentSignal)
	out = append(out, joined(header, "Content-Usage", contentUsage)...)
	out = append(out, tdmHeader(header)...)
	return append(out, linkLicences(header.Values("Link"))...)
}

// FromMetas returns what the meta elements of a page say about its use: TDMRep
// alone has any.
func FromMetas(metas []Meta) []Statement { return tdmMetas(metas) }

// joined reads a field that may be there several times as one list (RFC 9110
// section 5.3).
func joined(header http.Header, name string, parse func(value, source string) []Statement) []Statement {
	var values []string
	for _, v := range header.Values(name) {
		if v = strings.TrimFunc(v, blank); v != "" {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil
	}
	return parse(strings.Join(values, ", "), name+", header")
}
