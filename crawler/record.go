package crawler

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Field is one named value of a record. Values are nil, string, bool, int64,
// float64, json.RawMessage, []any of these, or []Field for a nested object.
type Field struct {
	Name  string
	Value any
}

// Record is what an extractor makes of a page: fields in a stable order, and
// the provenance that every output format carries with an underscore.
type Record struct {
	Type   string
	Fields []Field

	URL       string // _url: the address that answered
	Requested string // _requested: the URL as discovered
	FetchedAt time.Time
	Run       string
	Key       string // _key: the same for the same record in every run
	Usage     string // _usage, empty when the site states none
	// Failed tells that the record only says why a row of a dataset has no other.
	Failed bool

	// Deleted makes it a tombstone: the record of this key, which an earlier run
	// wrote, is no more. It has no fields then.
	Deleted bool // _deleted
}

// ProvenanceNames are the names of a record's provenance, in output order.
var ProvenanceNames = []string{"_type", "_url", "_requested", "_fetched_at", "_run", "_key", "_usage"}

// DeletedName is the name of Record.Deleted in outputs.
const DeletedName = "_deleted"

// RecordKey names the nth record of a type on a page, the same in every run.
func RecordKey(recordType string, page urls.Key, n int) string {
	h := sha256.New()
	h.Write(page[:])
	h.Write([]byte(recordType))
	h.Write([]byte{0})
	h.Write(strconv.AppendInt(nil, int64(n), 10))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// RecordError is a value that a page did not give as asked. The record is kept
// without the value, or dropped when the field is required.
type RecordError struct {
	Type    string // record type
	Field   string // "" when the failure is not that of one field
	Value   string // as found, cut to 200 bytes
	URL     string
	Err     error
	Dropped bool // the whole record was dropped
}

// Place names what the error is about: "type.field", or the type alone where no
// field of it could be read.
func (e *RecordError) Place() string {
	if e.Field == "" {
		return e.Type
	}
	return e.Type + "." + e.Field
}

func (e *RecordError) Error() string {
	text := e.URL + ": " + e.Place() + ": " + e.Err.Error()
	if e.Value == "" {
		return text
	}
	return text + ": " + strconv.Quote(e.Value)
}

// Unwrap gives the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// Link is a reference found on a page.
type Link struct {
	URL      urls.URL
	Kind     Kind
	Priority uint8
	NoFollow bool // rel="nofollow" and its kin
	// Call, Carry and Types are those of the request that the link makes. A link
	// whose call or values are beyond their bounds is not followed.
	Call  *Call
	Carry []Field
	Types []string
	// Row is that of the page where the link leads to more of the same: the next
	// page of a list.
	Row uint64
	// Modified is when a sitemap says that the page was last modified: where it names
	// a day, the end of it. Zero where none says so.
	Modified time.Time
}
