package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// MaxSchema bounds a schema's file in bytes.
const MaxSchema = 1 << 20

// Schema is a compiled JSON Schema. It is safe for concurrent use.
type Schema struct{ compiled *jsonschema.Schema }

// SchemaError is a mistake in a schema.
type SchemaError struct {
	Pointer []string // where in the schema, from its root
	Msg     string
	Hint    string
}

func (e *SchemaError) Error() string {
	if len(e.Pointer) == 0 {
		return e.Msg
	}
	return "/" + strings.Join(e.Pointer, "/") + ": " + e.Msg
}

// Compile compiles a schema, draft 2020-12 unless it names another. name is the
// file it stands in, or a name in the folder whose files it may refer to. Formats
// are checked. Errors are *SchemaError, several joined by errors.Join.
func Compile(name string, text []byte) (schema *Schema, err error) {
	defer func() { // a fault of the library must not take a user's lint down
		if fault := recover(); fault != nil {
			err = &SchemaError{Msg: fmt.Sprintf("the schema cannot be read: %v", fault)}
		}
	}()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, &SchemaError{Msg: "not JSON: " + err.Error()}
	}
	switch doc.(type) {
	case map[string]any, bool:
	default:
		return nil, &SchemaError{Msg: "a schema is a JSON object", Hint: `such as {"required": ["title"]}`}
	}
	place, err := fileURL(name)
	if err != nil {
		return nil, &SchemaError{Msg: err.Error()}
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(nearby{filepath.Dir(name)})
	if err := c.AddResource(place, doc); err != nil {
		return nil, &SchemaError{Msg: err.Error()}
	}
	compiled, err := c.Compile(place)
	if err != nil {
		return nil, schemaErrors(err, doc)
	}
	return &Schema{compiled}, nil
}

func fileURL(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	path := filepath.ToSlash(abs)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String(), nil
}

// nearby loads the files of one folder, and nothing else.
type nearby struct{ folder string }

var errNotFetched = errors.New("schemas are not fetched")

// Load implements jsonschema.URLLoader.
func (n nearby) Load(where string) (doc any, err error) {
	u, err := url.Parse(where)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "file" {
		return nil, fmt.Errorf("%s: %w", where, errNotFetched)
	}
	path := u.Path
	if runtime.GOOS == "windows" {
		path = strings.TrimPrefix(path, "/")
	}
	folder, err := filepath.Abs(n.folder)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(folder, filepath.FromSlash(path))
	if err != nil || !filepath.IsLocal(rel) {
		return nil, fmt.Errorf("%s lies outside of the schema's folder", path)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // only read from
	f, err := root.Open(rel)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := ReadBounded(f)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// ReadBounded reads the file of a schema.
func ReadBounded(f fs.File) ([]byte, error) {
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("a schema must be a regular file"))
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxSchema+1))
	if err == nil && len(text) > MaxSchema {
		err = fmt.Errorf("the schema is larger than %d bytes", MaxSchema)
	}
	return text, err
}

// schemaErrors says in plain words, and where, what the library has found.
func schemaErrors(err error, doc any) error {
	var invalid *jsonschema.SchemaValidationError
	if errors.As(err, &invalid) {
		if failed, ok := errors.AsType[*jsonschema.ValidationError](invalid.Err); ok {
			// A mistake in a schema is found by each way in which the draft would
			// have it: the first one is enough.
			var found []error
			seen := map[string]bool{}
			for _, leaf := range leaves(failed) {
				e := &SchemaError{Pointer: leaf.InstanceLocation, Msg: inWords(leaf)}
				if at := strings.Join(e.Pointer, "/"); !seen[at] && len(found) < maxLeaves {
					seen[at] = true
					found = append(found, e)
				}
			}
			return errors.Join(found...)
		}
	}
	e := &SchemaError{Msg: strings.TrimPrefix(err.Error(), "jsonschema: ")}
	if load, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		e.Msg = "cannot read " + load.URL + ": " + load.Err.Error()
		e.Pointer = reference(doc, filepath.Base(load.URL))
		if errors.Is(load.Err, errNotFetched) {
			e.Msg = load.Err.Error()
			e.Hint = "copy what it refers to into $defs, or into a file beside the schema"
		}
	}
	if lost, ok := errors.AsType[*jsonschema.JSONPointerNotFoundError](err); ok {
		_, fragment, _ := strings.Cut(lost.URL, "#")
		e.Msg, e.Pointer = "there is no #"+fragment, reference(doc, "#"+fragment)
	}
	if lost, ok := errors.AsType[*jsonschema.AnchorNotFoundError](err); ok {
		_, fragment, _ := strings.Cut(lost.Reference, "#")
		e.Msg, e.Pointer = "there is no anchor #"+fragment, reference(doc, "#"+fragment)
	}
	return e
}

// reference finds the $ref or $schema whose file, or whose end, is a name; nil
// without one.
func reference(doc any, name string) []string {
	switch doc := doc.(type) {
	case map[string]any:
		keys := make([]string, 0, len(doc))
		for key := range doc {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			text, _ := doc[key].(string)
			file, _, _ := strings.Cut(text, "#")
			if (key == "$ref" || key == "$dynamicRef" || key == "$schema") && (file != "" && strings.HasSuffix(file, name) || strings.HasSuffix(text, name)) {
				return []string{key}
			}
			if below := reference(doc[key], name); below != nil {
				return append([]string{key}, below...)
			}
		}
	case []any:
		for i := range doc {
			if below := reference(doc[i], name); below != nil {
				return append([]string{fmt.Sprint(i)}, below...)
			}
		}
	}
	return nil
}

// maxLeaves bounds what is said of one record, or of one schema.
const maxLeaves = 20

// leaves are the findings that have no other below them.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

var english = message.NewPrinter(language.English)

func inWords(e *jsonschema.ValidationError) string {
	text := e.ErrorKind.LocalizedString(english)
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}

// Position is where a pointer into a JSON text leads, or the value nearest above
// it: line and column from 1, the column in bytes.
func Position(text []byte, pointer []string) (line, column int) {
	at := offset(text, pointer)
	line = 1 + bytes.Count(text[:at], []byte("\n"))
	return line, at - bytes.LastIndexByte(text[:at], '\n')
}

// offset finds the value that a pointer leads to.
func offset(text []byte, pointer []string) int {
	dec := json.NewDecoder(bytes.NewReader(text))
	at, _ := descend(dec, text, pointer)
	return at
}

// descend reads one value and follows the pointer into it.
func descend(dec *json.Decoder, text []byte, pointer []string) (at int, found bool) {
	at = next(text, int(dec.InputOffset()))
	token, err := dec.Token()
	delim, open := token.(json.Delim)
	if err != nil || !open {
		return at, len(pointer) == 0
	}
	best, hit := at, len(pointer) == 0
	for i := 0; dec.More(); i++ {
		key := fmt.Sprint(i)
		if delim == '{' {
			name, err := dec.Token()
			if err != nil {
				return best, hit
			}
			key, _ = name.(string)
		}
		if len(pointer) > 0 && key == pointer[0] && !hit {
			best, _ = descend(dec, text, pointer[1:])
			return best, true
		}
		var skip json.RawMessage
		if dec.Decode(&skip) != nil {
			return best, hit
		}
	}
	_, _ = dec.Token() // the end of the value
	return best, hit
}

// next is where the next value begins, behind white space and punctuation.
func next(text []byte, at int) int {
	for at < len(text) && strings.IndexByte(" \t\r\n:,", text[at]) >= 0 {
		at++
	}
	return min(at, len(text))
}

// SyntaxPosition is where a JSON text stops being one; ok is false when it does
// not.
func SyntaxPosition(text []byte) (line, column int, msg string, ok bool) {
	var doc any
	err := json.Unmarshal(text, &doc)
	syntax, broken := errors.AsType[*json.SyntaxError](err)
	if !broken {
		return 0, 0, "", false
	}
	at := min(max(int(syntax.Offset)-1, 0), len(text))
	return 1 + bytes.Count(text[:at], []byte("\n")), at - bytes.LastIndexByte(text[:at], '\n'), syntax.Error(), true
}
