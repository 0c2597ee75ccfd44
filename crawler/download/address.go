package download

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Scheme is that of the URLs of objects in buckets: blob://connection/key.
const Scheme = "blob"

const keyParam = "key"

// ObjectURL is the one URL of an object. A key that a path cannot hold, since parsing
// would change it, stands in the query.
func ObjectURL(connection, key string) (urls.URL, error) {
	origin := Scheme + "://" + connection + "/"
	plain := key != ""
	segments := strings.Split(key, "/")
	for i, s := range segments {
		plain = plain && s != "." && s != ".."
		segments[i] = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	if plain {
		return urls.Parse(origin + strings.Join(segments, "/"))
	}
	return urls.Parse(origin + "?" + keyParam + "=" + strings.ReplaceAll(url.QueryEscape(key), "+", "%20"))
}

// KeyOf is the key of the object that a URL stands for; ok is false for other URLs.
func KeyOf(u urls.URL) (key string, ok bool) {
	if u.Scheme() != Scheme {
		return "", false
	}
	return keyOf(u.Path(), u.Query())
}

// KeyIn is KeyOf for the URL of a request that was made of such a one.
func KeyIn(u *url.URL) (key string, ok bool) { return keyOf(u.EscapedPath(), u.RawQuery) }

func keyOf(escaped, q string) (key string, ok bool) {
	if q != "" {
		values, err := url.ParseQuery(q)
		if err != nil || len(values) != 1 || len(values[keyParam]) != 1 {
			return "", false
		}
		return values[keyParam][0], true
	}
	key, err := url.PathUnescape(strings.TrimPrefix(escaped, "/"))
	return key, err == nil && key != ""
}

// about is what is known of a file before its first answer, and which part of it a
// request is for.
type about struct {
	size       int64 // -1 where it is unknown
	etag       string
	modified   time.Time
	base       int // bytes of the key that are not part of the name
	part       int64
	generation int64 // counts how often the file was begun anew
}

// The names in a request's carried values. No column can have the first, for names
// that begin with an underscore are records' own.
const (
	aboutName      = "_file"
	sizeName       = "size"
	etagName       = "etag"
	modifiedName   = "modified"
	baseName       = "base"
	partName       = "part"
	generationName = "generation"
)

// Listed is what a link to a listed object carries.
func Listed(a bucket.Attributes, base int) crawler.Field {
	return about{size: a.Size, etag: a.ETag, modified: a.Modified, base: base}.field()
}

func (a about) field() crawler.Field {
	fields := []crawler.Field{{Name: sizeName, Value: a.size}}
	if a.etag != "" {
		fields = append(fields, crawler.Field{Name: etagName, Value: a.etag})
	}
	if !a.modified.IsZero() {
		fields = append(fields, crawler.Field{Name: modifiedName, Value: a.modified.UTC().Format(time.RFC3339Nano)})
	}
	for name, v := range map[string]int64{baseName: int64(a.base), partName: a.part, generationName: a.generation} {
		if v != 0 {
			fields = append(fields, crawler.Field{Name: name, Value: v})
		}
	}
	return crawler.Field{Name: aboutName, Value: fields}
}

// aboutOf reads what a request carries, and the values that are its user's.
func aboutOf(carry []crawler.Field) (a about, others []crawler.Field) {
	a.size = -1
	for _, f := range carry {
		fields, ok := f.Value.([]crawler.Field)
		if f.Name != aboutName || !ok {
			others = append(others, f)
			continue
		}
		for _, f := range fields {
			n, _ := f.Value.(int64)
			text, _ := f.Value.(string)
			switch f.Name {
			case sizeName:
				a.size = n
			case etagName:
				a.etag = text
			case modifiedName:
				a.modified, _ = time.Parse(time.RFC3339Nano, text)
			case baseName:
				a.base = int(min(max(n, 0), urls.MaxLen))
			case partName:
				a.part = max(n, 0)
			case generationName:
				a.generation = max(n, 0)
			}
		}
	}
	return a, others
}

// ofObjects is the priority of listed objects. More of one that is begun leaves before the
// others, so that files become whole one after the other.
const ofObjects = 1

// next is a request for more of the same file.
func next(r *crawler.Request, id string, a about, others []crawler.Field) crawler.Request {
	out := *r
	out.Attempt = 0
	out.Priority = max(r.Priority, ofObjects) - ofObjects
	out.Carry = append(append([]crawler.Field(nil), others...), a.field())
	out.Key = crawler.KeyOf(crawler.FileKey(xxh3.HashString128(id).Bytes()), xxh3.HashString(strconv.FormatInt(a.generation, 10)+" "+strconv.FormatInt(a.part, 10)))
	return out
}

// idLength is that of the names idOf gives.
const idLength = 32

// idOf names the file of a request in a destination.
func idOf(r *crawler.Request) string {
	sum := xxh3.HashString128("file " + r.Origin()).Bytes()
	const digits = "0123456789abcdef"
	b := make([]byte, 0, idLength)
	for _, c := range sum {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return string(b)
}
