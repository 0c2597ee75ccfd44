// Package config reads a crawl's YAML file into a typed Config.
//
// It promises: every mistake of a file is found in one pass and reported with
// file, line and column, an excerpt and, where one is near, the key that was
// meant; nothing in a file is ignored, be it unknown, repeated or not yet
// supported; defaults are those that the struct tags of Config state; values
// taken from the environment are shown in no message; input of any size and
// shape is read in bounded time and memory.
//
// The configuration of extractors and sinks is decoded into the plugins' own
// structs, found in the registries of package crawler, and is held to the same
// rules. The same structs give the JSON Schema (Schema) and the reference
// (Reference, ExtractorReference,
// LinkReference, OutputReference).
//
// # Struct tags
//
//	yaml:"name"          the key; an untagged exported field takes its lower-case name
//	yaml:"-"             no key
//	yaml:",inline"       the keys of a nested struct stand beside the others
//	yaml:",key"          a mapping fills a slice of such structs, in its order; this field takes the key
//	yaml:"name,scalar"   a scalar in place of the mapping sets this field
//	yaml:"name,path"     a file path, taken relative to the config's folder ("path" as a name implies it)
//	doc:"..."            one line of documentation
//	default:"..."        the default; in parentheses: a description of it
//	enum:"a,b"           the only values
//	min:"1" max:"9"      bounds of numbers, durations and sizes
//	required:"true"      the key must be there
//
// Types with UnmarshalText take scalars. A list takes a single value as well.
// In plugins, defaults come from the constructor and the tag only documents
// them.
//
// It refuses: tags, directives, complex keys and several documents of YAML;
// files over 1 MiB; nesting beyond 64 levels. Anchors, aliases and merge keys
// are supported.
package config
