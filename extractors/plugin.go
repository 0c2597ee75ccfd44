package extractors

import "github.com/amblecrawl/amble/crawler"

// The words of a plugin. They are the engine's own types under shorter names.
type (
	// Extractor turns a page into fields and links. The struct that implements
	// it is its configuration.
	Extractor = crawler.Extractor
	// Page is a response with its lazily parsed document.
	Page = crawler.Page
	// Emitter receives what an extractor finds on one page.
	Emitter = crawler.Emitter
	// Field is one named value of a record.
	Field = crawler.Field
	// Link is a reference to follow.
	Link = crawler.Link
	// Validator is optional: it checks the configuration once.
	Validator = crawler.Validator
	// Opener is optional: it gets ready before the first page. An extractor that
	// is an io.Closer is closed after the last one.
	Opener = crawler.Opener
	// FieldLister is optional: it names the fields before the first page.
	FieldLister = crawler.FieldLister
	// TreeReader is optional: it says whether the parsed tree is needed.
	TreeReader = crawler.TreeReader
	// Sourcer is optional: it says where a field is read from, for rejects.
	Sourcer = crawler.Sourcer
	// Problem is why a record is rejected, see Emitter.Reject.
	Problem = crawler.Problem
	// ConfigError is a mistake at a place in the configuration.
	ConfigError = crawler.ConfigError
)

// Register makes an extractor available to configs as "plugin: id". Call it
// from an init function. The constructor returns a pointer to a new struct that
// holds the defaults and has no side effects. A second registration of an ID
// panics.
func Register(id string, constructor func() Extractor) {
	crawler.Extractors.Register(id, constructor)
}
