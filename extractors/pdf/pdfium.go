package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/klippa-app/go-pdfium"
	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/amblecrawl/amble/crawler"
)

// engine is PDFium, compiled once for the process.
var engine = struct {
	once  sync.Once
	ready chan struct{} // closed when it is compiled
	err   error
	cache wazero.CompilationCache
	turns chan struct{}
}{
	ready: make(chan struct{}),
	turns: make(chan struct{}, min(MaxAtOnce, runtime.GOMAXPROCS(0))),
}

// prepare waits for the engine until ctx ends. The compilation itself goes on: what it
// takes does not depend on any document, and who comes next needs it too.
func prepare(ctx context.Context) error {
	engine.once.Do(func() {
		engine.cache = wazero.NewCompilationCache()
		go func() {
			defer close(engine.ready)
			// Each worker of the compiler keeps what it took for its largest function.
			one := experimental.WithCompilationWorkers(context.Background(), 1)
			pool, err := instances(one, 0)
			if err != nil {
				engine.err = fmt.Errorf("making PDFium ready: %w", err)
				return
			}
			engine.err = pool.Close()
			debug.FreeOSMemory() // which is several times what a crawl takes
		}()
	})
	select {
	case <-engine.ready:
		return engine.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pageSize is that of WebAssembly's memory.
const pageSize = 64 << 10

// instances makes a source of instances for a document of so many bytes. They end
// with ctx, whatever they are doing, and reach nothing but their own memory.
func instances(ctx context.Context, size int) (pdfium.Pool, error) {
	memory := uint32(min((MaxMemory+2*int64(size))/pageSize, 65536))
	return webassembly.Init(webassembly.Config{
		Context:  ctx,
		MaxTotal: 1,
		FSConfig: wazero.NewFSConfig(),
		Stdout:   io.Discard,
		Stderr:   io.Discard,
		RuntimeConfig: wazero.NewRuntimeConfig().
			WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
			WithCloseOnContextDone(true).
			WithMemoryLimitPages(memory).
			WithCompilationCache(engine.cache),
	})
}

var (
	errEncrypted = errors.New("it is encrypted, and opens with a password alone")
	errScheme    = errors.New("it is encrypted in a way that is not known")
	errNoPDF     = errors.New("this is no PDF, or one too damaged to read")
	errBroken    = errors.New("the document breaks its reader, or needs more memory than it may have")
)

// read reads a document, at most so many pages of it.
func read(ctx context.Context, p *crawler.Page, most int) (d *document, err error) {
	body := p.Response.Body
	if err := prepare(ctx); err != nil {
		return nil, err
	}
	select {
	case engine.turns <- struct{}{}:
		defer func() { <-engine.turns }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	room, err := newAllocator(ctx, p)
	if err != nil {
		return nil, err
	}
	defer room.end()
	defer func() {
		if v := recover(); v != nil {
			d, err = nil, fmt.Errorf("%w (%v)", errBroken, v)
		}
		if room.refused != nil && err != nil {
			d, err = nil, room.refused
		}
	}()
	pool, err := instances(experimental.WithMemoryAllocator(ctx, room), len(body))
	if err != nil {
		return nil, fmt.Errorf("making PDFium ready: %w", err)
	}
	defer pool.Close() // of memory alone
	instance, err := pool.GetInstanceWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("making PDFium ready: %w", err)
	}
	opened, err := instance.OpenDocument(&requests.OpenDocument{File: &body})
	if err != nil {
		return nil, explained(err)
	}
	r := reader{instance, opened.Document}
	return r.read(ctx, most)
}

// explained says what an error of PDFium means.
func explained(err error) error {
	switch {
	case errors.Is(err, pdfiumerrors.ErrPassword):
		return errEncrypted
	case errors.Is(err, pdfiumerrors.ErrSecurity):
		return errScheme
	case errors.Is(err, pdfiumerrors.ErrFormat), errors.Is(err, pdfiumerrors.ErrFile), errors.Is(err, pdfiumerrors.ErrUnknown):
		return errNoPDF
	}
	return errBroken // a trap, whose stack tells a user nothing
}

// reader reads one open document.
type reader struct {
	pdfium.Pdfium
	document references.FPDF_DOCUMENT
}

func (r reader) read(ctx context.Context, most int) (*document, error) {
	count, err := r.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: r.document})
	if err != nil {
		return nil, explained(err)
	}
	d := &document{pages: count.PageCount}
	r.properties(d)
	size, unread := 0, 0
	for i := range d.pages {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if i == most {
			d.wrong = append(d.wrong, fmt.Errorf("more than %d pages (max_pages): the rest was left out", most))
			break
		}
		text, err := r.page(i)
		if errors.Is(err, pdfiumerrors.ErrPage) {
			unread++
			err = nil
		}
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", i+1, explained(err))
		}
		if size += len(text); size > MaxText {
			d.wrong = append(d.wrong, fmt.Errorf("more than %d MiB of text: page %d and those behind it were left out", MaxText>>20, i+1))
			break
		}
		d.texts = append(d.texts, text)
	}
	if unread > 0 {
		d.wrong = append(d.wrong, fmt.Errorf("%d pages could not be read", unread))
	}
	return d, nil
}

// page is the text of a page, counted from 0. It is asked for in one piece: a call
// into the sandbox that can be ended has its price.
func (r reader) page(i int) (string, error) {
	page := requests.Page{ByIndex: &requests.PageByIndex{Document: r.document, Index: i}}
	text, err := r.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: page})
	if err != nil {
		return "", err
	}
	count, err := r.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: text.TextPage})
	if err != nil {
		return "", err
	}
	res, err := r.FPDFText_GetText(&requests.FPDFText_GetText{TextPage: text.TextPage, Count: count.Count})
	if err != nil {
		return "", err
	}
	_, err = r.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: text.TextPage})
	return tidyText(res.Text), err
}

// properties reads what the document says of itself. What it does not say is an error
// to PDFium and none here.
func (r reader) properties(d *document) {
	for tag, to := range map[string]*string{
		"Title": &d.title, "Author": &d.author, "Subject": &d.subject, "Keywords": &d.keywords,
		"CreationDate": &d.created, "ModDate": &d.modified,
	} {
		if res, err := r.FPDF_GetMetaText(&requests.FPDF_GetMetaText{Document: r.document, Tag: tag}); err == nil {
			*to = tidyLine(res.Value)
		}
	}
	if res, err := r.FPDFCatalog_GetLanguage(&requests.FPDFCatalog_GetLanguage{Document: r.document}); err == nil {
		d.language = tidyLine(res.Language)
	}
}
