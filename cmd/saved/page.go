// Package saved is amble test: pages that are kept with the records that they should
// give, in the files of a folder. It fetches and saves them, and says how the records that
// they give now differ from those.
package saved

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/trust"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Page is a page as it was fetched, and the records that it should give. It is
// kept as two files: the body as it came, and this as JSON, in NAME.records.json.
type Page struct {
	Name  string `json:"-"` // of both files, without their endings
	Bytes []byte `json:"-"` // the body

	URL       string            `json:"url"`                 // the address that answered
	Requested string            `json:"requested,omitempty"` // where that was another one
	FetchedAt time.Time         `json:"fetched_at"`          // what relative dates are relative to
	Headers   map[string]string `json:"headers"`             // those that tell what the body is
	Carried   Record            `json:"carried,omitempty"`   // what the link to the page brought along
	Types     []string          `json:"types,omitempty"`     // the record types that it led to
	Body      string            `json:"body"`                // the file of the body
	Records   []Record          `json:"records"`
	Rejected  []Record          `json:"rejected,omitempty"`
}

const recordsEnding = ".records.json"

// Record is a record as JSON, its members in their order.
type Record []member

type member struct {
	name  string
	value json.RawMessage
}

// MarshalJSON implements json.Marshaler.
func (r Record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Record) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	start, err := dec.Token()
	if err != nil {
		return err
	}
	if start == nil {
		*r = nil
		return nil
	}
	if start != json.Delim('{') {
		return errors.New("want a record as an object")
	}
	*r = Record{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		m := member{name: name.(string)} // nothing else is a key
		if err := dec.Decode(&m.value); err != nil {
			return err
		}
		*r = append(*r, m)
	}
	return nil
}

// NewRecord is a record as it is compared: its type and its fields, without what
// differs from run to run.
func NewRecord(r *crawler.Record) (Record, error) {
	var all Record
	if err := json.Unmarshal(sink.AppendJSON(nil, r), &all); err != nil {
		return nil, err
	}
	fields := all[:len(all)-len(crawler.ProvenanceNames)+1] // without _usage, which is not there
	kind, err := json.Marshal(r.Type)
	return append(Record{{"_type", kind}}, fields...), err
}

// Fields are the values that a link carried, as the engine has them.
func (r Record) Fields() ([]crawler.Field, error) {
	var fields []crawler.Field
	for _, m := range r {
		v, err := valueOf(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		fields = append(fields, crawler.Field{Name: m.name, Value: v})
	}
	return fields, nil
}

func valueOf(text json.RawMessage) (any, error) {
	text = bytes.TrimSpace(text)
	switch {
	case len(text) > 0 && text[0] == '{':
		var nested Record
		if err := json.Unmarshal(text, &nested); err != nil {
			return nil, err
		}
		return nested.Fields()
	case len(text) > 0 && text[0] == '[':
		var items []json.RawMessage
		if err := json.Unmarshal(text, &items); err != nil {
			return nil, err
		}
		list := make([]any, len(items))
		for i := range items {
			v, err := valueOf(items[i])
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	var n json.Number
	if json.Unmarshal(text, &n) == nil && len(text) > 0 && text[0] != '"' {
		if i, err := n.Int64(); err == nil {
			return i, nil
		}
		return n.Float64()
	}
	var v any
	err := json.Unmarshal(text, &v)
	return v, err
}

// KeptHeaders are the fields of a response that say what its body is, and nothing
// about who asked for it.
var KeptHeaders = []string{"Content-Type", "Content-Language", "Content-Location", "Link", "Last-Modified"}

// Fetched is the page as a run would have it, whose URLs are told apart by canon.
func (s *Page) Fetched(canon *urls.Canon) (*crawler.Page, error) {
	u, err := urls.Parse(s.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	header := http.Header{}
	for name, value := range s.Headers {
		header.Set(name, value)
	}
	resp := fetch.Saved(header, s.Bytes)
	resp.FetchedAt = s.FetchedAt.UTC()
	request := &crawler.Request{URL: u.WithoutFragment(), Key: canon.Key(u), Requested: s.Requested, Types: s.Types}
	if request.Carry, err = s.Carried.Fields(); err != nil {
		return nil, fmt.Errorf("carried: %w", err)
	}
	return crawler.NewPage(request, resp), nil
}

// Load reads the pages of a folder, sorted by name. Neither of their files may have more
// than so many bytes.
func Load(folder string, most int64) ([]*Page, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*"+recordsEnding))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var pages []*Page
	for _, file := range files {
		text, err := readBounded(file, most)
		if err != nil {
			return nil, err
		}
		s := &Page{Name: strings.TrimSuffix(filepath.Base(file), recordsEnding)}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(s); err != nil {
			if line, column, msg, broken := trust.SyntaxPosition(text); broken {
				return nil, fmt.Errorf("%s:%d:%d: %s", file, line, column, msg)
			}
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if s.Body == "" || !filepath.IsLocal(s.Body) {
			return nil, fmt.Errorf("%s: body: want the name of a file beside this one", file)
		}
		if s.Bytes, err = readBounded(filepath.Join(folder, s.Body), most); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		pages = append(pages, s)
	}
	return pages, nil
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is no regular file", path))
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is larger than fetch.max_body", path)
	}
	return text, err
}

// Save writes the page into a folder: the body first, so that what names it is
// never without it. withBody tells that it is new.
func (s *Page) Save(folder string, withBody bool) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if withBody {
		if err := replace(filepath.Join(folder, s.Body), s.Bytes); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	return replace(filepath.Join(folder, s.Name+recordsEnding), b.Bytes())
}

// replace writes a file whole or not at all.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".amble-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error says more
	}
	return err
}

// NameOf makes a name for the files of a page from its URL.
func NameOf(u urls.URL) string {
	text := strings.Trim(u.Path(), "/")
	if parts := strings.Split(text, "/"); len(parts) > 2 {
		text = strings.Join(parts[len(parts)-2:], "/")
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "/index.html"), ".html")
	if u.Query() != "" {
		text += "-" + u.Query()
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '-' }), "-")
	if len(name) > 60 {
		name = strings.Trim(name[:60], "-")
	}
	if name == "" {
		return "front"
	}
	return name
}

// CheckedName tells pages of one name apart.
func CheckedName(name, url string) string {
	return fmt.Sprintf("%s-%08x", name, crc32.ChecksumIEEE([]byte(url)))
}
