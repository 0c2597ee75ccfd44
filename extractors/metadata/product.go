package metadata

import (
	"context"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

func init() {
	crawler.Extractors.Register("product", func() crawler.Extractor { return &Product{} })
}

// Product makes a record of every product that a page describes, whichever
// format says so. It is safe for concurrent use.
type Product struct {
	Precedence `yaml:",inline"`
}

var (
	_ crawler.Extractor   = (*Product)(nil)
	_ crawler.Validator   = (*Product)(nil)
	_ crawler.FieldLister = (*Product)(nil)
)

var productFields = []string{
	"name", "brand", "description", "category", "sku", "gtin", "mpn", "url", "images",
	"price", "price_max", "currency", "availability", "condition", "seller", "offers",
	"rating", "rating_best", "rating_count", "review_count",
}

// FieldNames lists the fields of every record.
func (*Product) FieldNames() []string { return append(slices.Clone(productFields), "origin") }

// Extract emits the records.
func (x *Product) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	s, err := x.listen(ctx, p, e)
	if err != nil {
		return err
	}
	var claims []*claim
	for _, th := range s.outermost(isProduct) {
		r := &reading{e, th.origin}
		if th.origin == "microformats2" {
			claims = append(claims, r.oldProduct(th.Item))
		} else {
			claims = append(claims, r.product(th.Item))
		}
	}
	subjects := joined(claims)
	if s.og != nil {
		subjects = (&reading{e, "opengraph"}).sharedProduct(s, subjects)
	}
	for _, subject := range subjects {
		e.Record(subject.fields(productFields, x.order())...)
	}
	return nil
}

func isProduct(it *item.Item) bool {
	if it.Is("Product", "ProductGroup", "ProductModel", "IndividualProduct", "SomeProducts", "ProductCollection",
		"Vehicle", "Car", "Motorcycle", "MotorizedBicycle", "BusOrCoach", "Drug", "h-product") {
		return true
	}
	// Books, programs, films and the like are products where somebody sells them.
	return it.Get("offers") != nil && it.Is("Book", "SoftwareApplication", "MobileApplication", "WebApplication",
		"VideoGame", "Movie", "MusicAlbum", "MusicRelease", "Game", "Course", "CreativeWork", "Service")
}

// product reads a thing of schema.org.
func (r *reading) product(it *item.Item) *claim {
	c := newClaim(r.origin)
	c.set("name", text(it, "name"))
	c.set("brand", text(it, "brand", "manufacturer"))
	c.set("description", text(it, "description"))
	c.set("category", text(it, "category"))
	c.set("sku", text(it, "sku", "productID", "productGroupID"))
	c.set("gtin", strings.TrimPrefix(text(it, "gtin", "gtin13", "gtin14", "gtin12", "gtin8", "isbn"), "isbn:"))
	c.set("mpn", text(it, "mpn"))
	c.set("url", address(it, "url"))
	c.set("images", list(addresses(it.Get("image"))))
	r.offers(c, it)
	for _, rating := range things(it.Get("aggregateRating")) {
		r.rating(c, rating)
	}
	r.identify(c, it)
	return c
}

func (r *reading) rating(c *claim, rating *item.Item) {
	c.set("rating", r.number("rating", rating, "ratingValue", "average", "rating"))
	c.set("rating_best", r.number("rating_best", rating, "bestRating", "best"))
	c.set("rating_count", r.count("rating_count", rating, "ratingCount", "votes"))
	c.set("review_count", r.count("review_count", rating, "reviewCount", "count"))
}

// identify notes what a product may be known by.
func (r *reading) identify(c *claim, it *item.Item) {
	c.key("id", it.ID)
	for _, field := range []string{"name", "sku", "gtin", "url"} {
		known, _ := c.values[field].(string)
		c.key(field, known)
	}
}

// oldProduct reads an h-product.
func (r *reading) oldProduct(it *item.Item) *claim {
	c := newClaim(r.origin)
	c.set("name", text(it, "name"))
	c.set("brand", text(it, "brand"))
	c.set("description", text(it, "description"))
	c.set("category", text(it, "category"))
	c.set("sku", text(it, "identifier"))
	c.set("url", address(it, "url"))
	c.set("images", list(addresses(it.Get("photo"))))
	if price := text(it, "price"); price != "" {
		c.set("price", r.number("price", it, "price"))
		c.set("currency", currencyIn(price))
	}
	for _, review := range things(it.Get("review")) {
		r.rating(c, review)
	}
	r.identify(c, it)
	return c
}

// sharedProduct reads the product that Open Graph names, or what it says of the
// only one that others name.
func (r *reading) sharedProduct(s *said, subjects []*subject) []*subject {
	og := s.og
	c := newClaim(r.origin)
	c.set("name", text(og, "title"))
	c.set("description", text(og, "description"))
	c.set("url", address(og, "url"))
	c.set("images", list(addresses(og.Get("images"))))
	isOne := strings.Contains(text(og, "type"), "product")
	for _, product := range things(og.Get("product")) {
		isOne = true
		c.set("price", r.number("price", product, "sale_price_amount", "price_amount", "price"))
		c.set("currency", text(product, "sale_price_currency", "price_currency"))
		c.set("brand", text(product, "brand"))
		c.set("category", text(product, "category"))
		c.set("sku", text(product, "retailer_item_id"))
		c.set("gtin", text(product, "ean", "upc", "isbn", "gtin"))
		c.set("mpn", text(product, "mfr_part_no"))
		c.set("availability", member(availabilities, text(product, "availability")))
		c.set("condition", member(conditions, text(product, "condition")))
	}
	for _, price := range []string{"price_amount", "price"} { // og:price:amount, as some shops have it
		c.set("price", r.number("price", og, price))
	}
	c.set("currency", text(og, "price_currency"))
	c.set("brand", text(og, "brand"))
	c.set("availability", member(availabilities, text(og, "availability")))
	r.identify(c, og)
	for _, subject := range subjects {
		if len(subjects) == 1 || subject.shares(c) {
			subject.take(c)
			return subjects
		}
	}
	if isOne && len(subjects) == 0 {
		return joined([]*claim{c})
	}
	return subjects
}
