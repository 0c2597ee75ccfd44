package selectors

import (
	"slices"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// NamesFiles reports whether values of fields lead to files.
func (x *Extractor) NamesFiles() bool {
	return slices.ContainsFunc(x.Fields, func(f Field) bool { return f.Download })
}

// files are the names of the fields whose values lead to files.
func (c *compiler) files(fields []Field) (names []string) {
	for i := range fields {
		f := &fields[i]
		c.noFiles(f.Fields, "fields", f.Name)
		if !f.Download {
			continue
		}
		if f.As != "url" {
			c.wrong.add("add as: url", "download is for URLs", "fields", f.Name, "download")
		}
		names = append(names, f.Name)
	}
	return names
}

// noFiles refuses download where the record is not at hand any more.
func (c *compiler) noFiles(fields []Field, path ...string) {
	for i := range fields {
		if fields[i].Download {
			c.wrong.add("use a link rule", "download is for fields of the record itself", append(path, "fields", fields[i].Name, "download")...)
		}
	}
}

// files emits a link for each value of a record that leads to a file.
func (r *reading) files(fields []crawler.Field) {
	for _, f := range fields {
		if !slices.Contains(r.plan.files, f.Name) {
			continue
		}
		values, ok := f.Value.([]any)
		if !ok {
			values = []any{f.Value}
		}
		for _, v := range values {
			text, _ := v.(string)
			if u, err := urls.Parse(text); err == nil && u.IsHTTP() {
				r.emit.Link(crawler.Link{URL: u, Kind: crawler.KindFile})
			}
		}
	}
}
