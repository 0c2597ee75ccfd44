package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// Options are what a config takes from outside of its file. The zero value
// knows no environment.
type Options struct {
	// Env looks a variable up, as os.LookupEnv does; nil knows none.
	Env func(name string) (string, bool)
	// Set are overrides, "politeness.delay=2s": a path of keys and a YAML value.
	Set []string
	// Folders has the folders of this machine looked at, which a run would stop at; nil
	// leaves that to the run.
	Folders *Folders
}

// loader is the state of reading one config.
type loader struct {
	*report
	env  func(string) (string, bool)
	dir  string
	root *node
	// sinks are the entries that gave Config.Output, in its order.
	sinks []entry
	// schemas are the texts of the files that the config names as schemas.
	schemas []string
}

// Load reads and checks the file. Unless Diagnostics.Failed, the config is
// usable; otherwise it is nil.
func Load(path string, opt Options) (*Config, Diagnostics) {
	data, err := readBounded(path)
	if err != nil {
		return nil, Diagnostics{{File: path, Line: 1, Column: 1, Message: "cannot read the config: " + cause(err), Hint: readHint(err)}}
	}
	return Parse(path, data, opt)
}

// readBounded reads a regular file or a pipe of at most MaxSize bytes; one
// byte more is let through for Parse to refuse.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxSize+1))
}

// cause is an error of the file system without the path it names once more.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

func readHint(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "give the path of a config file, such as crawl.yaml"
	}
	return ""
}

// Parse checks the text of a config. Name is the file it came from, which
// relative paths and default names go by; files of seeds are read from disk.
func Parse(name string, data []byte, opt Options) (*Config, Diagnostics) {
	known := &secrets{}
	l := &loader{report: &report{secrets: known}, env: opt.Env}
	if l.env == nil {
		l.env = func(string) (string, bool) { return "", false }
	}
	l.dir = filepath.Dir(name)
	if dir, err := filepath.Abs(l.dir); err == nil {
		l.dir = dir
	}
	root, ok := l.parseYAML(name, data)
	if !ok {
		return nil, l.diagnostics()
	}
	if root.kind != mappingKind {
		l.errorf(root.place, "begin with name:, seeds: and extract:", "a config is a mapping; found %s", root)
		return nil, l.diagnostics()
	}
	l.root = root
	for _, s := range opt.Set {
		l.override(s)
	}
	l.reportLacks(root)
	before := len(l.found)
	c := &Config{File: name, Dir: l.dir, secrets: known, reading: reading{root: root}}
	if len(root.entries) == 0 && len(bytes.TrimSpace(data)) == 0 {
		l.errorf(root.place, "it needs seeds at least", "the file is empty")
		return nil, l.diagnostics()
	}
	l.fields(root, reflect.ValueOf(c).Elem(), shapeOf(reflect.TypeFor[Config]()), slot{}, nil)
	l.check(c)
	if opt.Folders != nil {
		l.checkPlaces(c, opt.Folders)
	}
	c.reading.others = l.schemas
	l.dropOfLacks(root, before)
	found := l.diagnostics()
	if found.Failed() {
		return nil, found
	}
	return c, found
}

// baseName is a file's name without its ending.
func baseName(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
