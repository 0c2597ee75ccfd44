package extractors_test

import (
	"context"
	"fmt"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
)

// Headings is a plugin. The struct is its configuration; in a crawl it reads
//
//	extract:
//	  heading: {plugin: headings, level: 2}
type Headings struct {
	Level int `yaml:"level" default:"1" doc:"the level of the headings to take"`
}

func init() {
	extractors.Register("headings", func() extractors.Extractor { return &Headings{Level: 1} })
}

// Extract emits a record for every heading.
func (h *Headings) Extract(_ context.Context, p *extractors.Page, e *extractors.Emitter) error {
	doc, err := p.Document()
	if err != nil {
		return err
	}
	for _, s := range doc.Find(fmt.Sprintf("h%d", h.Level)).EachIter() {
		e.Record(extractors.Field{Name: "text", Value: s.Text()})
	}
	return nil
}

func Example() {
	pipeline, err := extractors.New(extractors.Options{
		Rules: []extractors.Rule{{Type: "heading", Extractor: &Headings{Level: 2}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	home, _ := urls.Parse("https://trees.example/")
	page := crawler.NewPage(&crawler.Request{URL: home}, &crawler.Response{
		MediaType: "text/html",
		Body:      []byte(`<h1>Trees</h1><h2>Oak</h2><h2>Ash</h2><a href="elm.html">more</a>`),
	})
	var found crawler.Result
	if err := pipeline.Run(context.Background(), page, &found); err != nil {
		fmt.Println(err)
	}
	for _, r := range found.Records {
		fmt.Println(r.Type, r.Fields[0].Value)
	}
	for _, l := range found.Links {
		fmt.Println("link", l.URL)
	}
	// Output:
	// heading Oak
	// heading Ash
	// link https://trees.example/elm.html
}
