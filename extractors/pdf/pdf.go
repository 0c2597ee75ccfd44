package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/amblecrawl/amble/crawler"
)

// The bounds of a document.
const (
	DefaultMaxPages = 2_000
	MaxText         = 16 << 20  // bytes of text
	MaxMemory       = 128 << 20 // bytes, besides twice the document's length, whatever fetch.memory leaves to it
	MaxAtOnce       = 4         // documents; fewer where there are fewer processors
)

func init() {
	crawler.Extractors.Register("pdf", func() crawler.Extractor { return &PDF{Each: eachDocument, MaxPages: DefaultMaxPages} })
}

const (
	eachDocument = "document"
	eachPage     = "page"
)

// PDF makes records of PDF documents by its configuration, which is itself. Do not
// change it after its first use; Extract is safe for concurrent use.
type PDF struct {
	Each     string `yaml:"each,omitempty" enum:"document,page" default:"document" doc:"what a record is: the whole document, or each page of it"`
	MaxPages int    `yaml:"max_pages,omitempty" default:"2000" doc:"the most pages read of one document; more are cut, with an error"`
}

var (
	_ crawler.Extractor   = (*PDF)(nil)
	_ crawler.Validator   = (*PDF)(nil)
	_ crawler.Opener      = (*PDF)(nil)
	_ crawler.TreeReader  = (*PDF)(nil)
	_ crawler.FieldLister = (*PDF)(nil)
	_ crawler.Weigher     = (*PDF)(nil)
)

// NeedsTree is false: a PDF has no tree.
func (x *PDF) NeedsTree() bool { return false }

// FieldNames lists the fields, which depend on what a record is.
func (x *PDF) FieldNames() []string {
	if x.Each == eachPage {
		return []string{"title", "page", "pages", "text"}
	}
	return []string{"title", "author", "subject", "keywords", "created", "modified", "language", "pages", "text"}
}

// Validate checks the configuration.
func (x *PDF) Validate() error {
	var wrong []error
	if x.Each != "" && x.Each != eachDocument && x.Each != eachPage {
		wrong = append(wrong, &crawler.ConfigError{Path: []string{"each"}, Msg: fmt.Sprintf("%q is not document or page", x.Each)})
	}
	if x.MaxPages < 0 {
		wrong = append(wrong, &crawler.ConfigError{Path: []string{"max_pages"}, Msg: "max_pages must be at least 1", Hint: "leave it out for the default"})
	}
	return errors.Join(wrong...)
}

// Open makes PDFium ready, so that the first page need not wait for it.
func (x *PDF) Open(ctx context.Context) error { return prepare(ctx) }

// Extract emits the document's records. Pages that are no PDF give none.
func (x *PDF) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	if !isPDF(p.Response) {
		return nil
	}
	most := x.MaxPages
	if most == 0 {
		most = DefaultMaxPages
	}
	d, err := read(ctx, p, most)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("reading the PDF: %w", err)
	}
	if x.Each == eachPage {
		for i, text := range d.texts {
			e.Record(
				crawler.Field{Name: "title", Value: orNull(d.title)},
				crawler.Field{Name: "page", Value: int64(i + 1)},
				crawler.Field{Name: "pages", Value: int64(d.pages)},
				crawler.Field{Name: "text", Value: orNull(text)},
			)
		}
	} else {
		e.Record(d.fields(e)...)
	}
	for _, err := range d.wrong {
		e.FieldError("text", "", false, err)
	}
	return nil
}

// isPDF goes by the type, and where a server has but a general one, by the mark that
// stands among the first kilobyte of a PDF.
func isPDF(r *crawler.Response) bool {
	if isPDFType(r.MediaType) {
		return true
	}
	switch r.MediaType {
	case "application/octet-stream", "binary/octet-stream", "application/x-download", "application/force-download":
		return bytes.Contains(r.Body[:min(len(r.Body), 1024)], []byte("%PDF-"))
	}
	return false
}

func isPDFType(mediaType string) bool {
	return mediaType == "application/pdf" || mediaType == "application/x-pdf"
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
