package config

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/andybalholm/cascadia"

	"github.com/amblecrawl/amble/crawler"
)

// The plugins of the tests have the shapes that real ones have.

type testSelector struct {
	CSS   string `yaml:"css,scalar" doc:"A CSS selector."`
	XPath string `yaml:"xpath" doc:"An XPath expression."`
}

type testField struct {
	Name         string `yaml:",key"`
	testSelector `yaml:",inline"`
	Attr         string `yaml:"attr" doc:"An attribute in place of the text."`
	Regex        string `yaml:"regex" doc:"Its first group is the value."`
	As           string `yaml:"as" enum:"string,integer,number,url" default:"string" doc:"The value's type."`
	All          bool   `yaml:"all" doc:"All matches, as a list."`
	Required     bool   `yaml:"required" doc:"Drops records without it."`
}

type testSelectors struct {
	Each   *testSelector `yaml:"each,omitempty" doc:"One record for each match."`
	Fields []testField   `yaml:"fields" required:"true" doc:"The record's fields."`
}

func (*testSelectors) Extract(context.Context, *crawler.Page, *crawler.Emitter) error { return nil }

func (s *testSelectors) Validate() error {
	var errs []error
	if len(s.Fields) == 0 {
		errs = append(errs, &crawler.ConfigError{Path: []string{"fields"}, Msg: "fields are missing"})
	}
	if s.Each != nil && s.Each.CSS == "" {
		errs = append(errs, &crawler.ConfigError{Path: []string{"each"}, Msg: "each selects nothing"})
	}
	for _, f := range s.Fields {
		if _, err := regexp.Compile(f.Regex); err != nil {
			errs = append(errs, &crawler.ConfigError{Path: []string{"fields", f.Name, "regex"}, Msg: "not a regular expression"})
		}
		if f.Regex != "" && f.CSS == "" {
			errs = append(errs, errors.New("a regex has nothing to search"))
		}
		if strings.HasPrefix(f.Name, "_") {
			errs = append(errs, &crawler.ConfigError{Path: []string{"fields", f.Name}, Msg: "names that begin with _ are kept for provenance"})
		}
		if f.CSS != "" && f.XPath != "" {
			errs = append(errs, &crawler.ConfigError{Path: []string{"fields", f.Name, "xpath"}, Msg: "css and xpath exclude each other", Hint: "keep one"})
		}
		if f.CSS == "" {
			continue
		}
		if _, err := cascadia.ParseGroup(f.CSS); err != nil {
			errs = append(errs, &crawler.ConfigError{Path: []string{"fields", f.Name, "css"}, Msg: "not a CSS selector: " + f.CSS})
		}
	}
	return errors.Join(errs...)
}

type testOptions struct {
	Types   []string          `yaml:"types" doc:"Schema types to keep."`
	Limits  map[string]int    `yaml:"limits"`
	Depth   uint8             `yaml:"depth" default:"3"`
	Ratio   float64           `yaml:"ratio" min:"0" max:"1"`
	Max     Size              `yaml:"max"`
	Any     any               `yaml:"any"`
	Headers map[string]string `yaml:"headers"`
	Hook    func()            `yaml:"hook"`
}

func (*testOptions) Extract(context.Context, *crawler.Page, *crawler.Emitter) error { return nil }

func (*testOptions) Validate() error { return nil }

type testBare struct{ testOptions }

func (*testBare) Validate() error { panic("boom") }

type testFunc func()

func (testFunc) Extract(context.Context, *crawler.Page, *crawler.Emitter) error { return nil }

type testSink struct {
	Path string `yaml:"path,scalar" required:"true" doc:"The file."`
	Mode string `yaml:"mode" enum:"plain,gzip" default:"plain"`
}

func (*testSink) Open(context.Context, crawler.RunInfo, []byte) error { return nil }
func (*testSink) Write(context.Context, []crawler.Record) error       { return nil }
func (*testSink) Flush(context.Context) ([]byte, error)               { return nil, nil }
func (*testSink) Places() []string                                    { return nil }
func (*testSink) Close() error                                        { return nil }

// testLinks is a link rule as a struct.
type testLinks struct {
	CSS   string      `yaml:"css,scalar" required:"true" doc:"CSS selector of the elements."`
	Attr  string      `yaml:"attr" default:"href" doc:"The attribute that holds the URL."`
	Carry []testField `yaml:"carry" doc:"Values for the pages that it leads to."`
}

func (x *testLinks) Simple() (css, attr string, ok bool) { return x.CSS, x.Attr, true }

func (*testLinks) Find(context.Context, *crawler.Page, *crawler.Emitter, func(crawler.Reference) bool) error {
	return nil
}

func (x *testLinks) Validate() error {
	if _, err := cascadia.ParseGroup(x.CSS); x.CSS != "" && err != nil {
		return &crawler.ConfigError{Path: []string{"css"}, Msg: "not a CSS selector: " + x.CSS}
	}
	return nil
}

func init() {
	crawler.LinkFinders.Register(linkFinder, func() crawler.LinkFinder { return &testLinks{} })
	crawler.Extractors.Register(DefaultExtractor, func() crawler.Extractor { return &testSelectors{} })
	crawler.Extractors.Register("jsonld", func() crawler.Extractor { return &testOptions{Depth: 3} })
	crawler.Extractors.Register("panics", func() crawler.Extractor { return &testBare{} })
	crawler.Extractors.Register("func", func() crawler.Extractor { return testFunc(func() {}) })
	crawler.Sinks.Register("jsonl", func() crawler.Sink { return &testSink{Mode: "plain"} })
	crawler.Sinks.Register("csv", func() crawler.Sink { return &testSink{Mode: "plain"} })
}
