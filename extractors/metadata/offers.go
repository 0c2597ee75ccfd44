package metadata

import (
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// maxOffers bounds the offers of one product.
const maxOffers = 1_000

var (
	availabilities = members("InStock OutOfStock PreOrder PreSale BackOrder Discontinued InStoreOnly LimitedAvailability MadeToOrder OnlineOnly Reserved SoldOut",
		map[string]string{"available": "InStock", "oos": "OutOfStock", "availablefororder": "BackOrder", "pending": "BackOrder", "unavailable": "OutOfStock"})
	conditions = members("NewCondition UsedCondition RefurbishedCondition DamagedCondition",
		map[string]string{"new": "NewCondition", "used": "UsedCondition", "refurbished": "RefurbishedCondition", "damaged": "DamagedCondition"})
)

// offers reads the offers of a product or event: the lowest and highest price,
// and each offer.
func (r *reading) offers(c *claim, it *item.Item) {
	o := &offers{reading: r, claim: c}
	o.of(it, 0)
	for _, variant := range things(it.Get("hasVariant")) {
		o.of(variant, 0)
	}
	if o.hasPrice {
		c.set("price", o.low)
		if o.high > o.low {
			c.set("price_max", o.high)
		}
	}
	c.set("offers", o.all)
}

type offers struct {
	*reading
	claim     *claim
	all       []any
	low, high float64
	hasPrice  bool
}

func (o *offers) of(it *item.Item, depth int) {
	for _, offer := range things(it.Get("offers")) {
		if len(o.all) == maxOffers || depth > 2 {
			return
		}
		o.one(offer)
		o.of(offer, depth+1) // an AggregateOffer may list its own
	}
}

func (o *offers) one(offer *item.Item) {
	price := o.price(offer)
	low, high := o.number("price", offer, "lowPrice"), o.number("price_max", offer, "highPrice")
	for _, p := range []any{price, low, high} {
		o.span(p)
	}
	var seller any
	if s := text(offer, "seller", "offeredBy"); s != "" {
		seller = s
	}
	currency := o.currency(offer)
	availability := member(availabilities, text2(offer, "availability"))
	condition := member(conditions, text2(offer, "itemCondition"))
	link := address(offer, "url")
	o.claim.set("currency", currency)
	o.claim.set("availability", availability)
	o.claim.set("condition", condition)
	o.claim.set("seller", seller)
	o.claim.set("tickets", link)
	if low != nil || high != nil { // it stands for others
		return
	}
	var fields []crawler.Field
	add := func(name string, value any) {
		if value != nil && value != "" {
			fields = append(fields, crawler.Field{Name: name, Value: value})
		}
	}
	add("name", text(offer, "name"))
	add("sku", text(offer, "sku"))
	add("price", price)
	add("currency", currency)
	add("availability", availability)
	add("condition", condition)
	add("seller", seller)
	add("url", link)
	add("valid_until", o.date("offers", offer, "priceValidUntil", "validThrough"))
	if fields != nil {
		o.all = append(o.all, fields)
	}
}

// text2 is a text or an address: schema.org's fixed values come as both.
func text2(it *item.Item, name string) string {
	if a := address(it, name); a != "" {
		return a
	}
	for _, v := range it.Get(name) {
		if ref, ok := v.(item.Ref); ok {
			return string(ref)
		}
	}
	return text(it, name)
}

func (o *offers) span(price any) {
	p, ok := price.(float64)
	if !ok {
		return
	}
	if !o.hasPrice || p < o.low {
		o.low = p
	}
	if !o.hasPrice || p > o.high {
		o.high = p
	}
	o.hasPrice = true
}

// price is an offer's own, or that of its specification.
func (o *offers) price(offer *item.Item) any {
	if p := o.number("price", offer, "price"); p != nil {
		return p
	}
	for _, spec := range things(offer.Get("priceSpecification")) {
		if p := o.number("price", spec, "price"); p != nil {
			return p
		}
	}
	return nil
}

func (o *offers) currency(offer *item.Item) any {
	if c := text(offer, "priceCurrency"); c != "" {
		return c
	}
	for _, spec := range things(offer.Get("priceSpecification")) {
		if c := text(spec, "priceCurrency"); c != "" {
			return c
		}
	}
	return currencyIn(text(offer, "price"))
}

// signs are the currencies whose signs no other has.
var signs = []struct{ sign, code string }{
	{"€", "EUR"}, {"£", "GBP"}, {"₹", "INR"}, {"₩", "KRW"}, {"₺", "TRY"}, {"₽", "RUB"}, {"zł", "PLN"},
	{"Kč", "CZK"}, {"US$", "USD"}, {"A$", "AUD"}, {"C$", "CAD"}, {"R$", "BRL"}, {"₴", "UAH"}, {"₫", "VND"},
}

// currencyIn is the currency that a price names; nil where it may be several.
func currencyIn(price string) any {
	for _, s := range signs {
		if strings.Contains(price, s.sign) {
			return s.code
		}
	}
	for word := range strings.FieldsSeq(price) {
		if word = strings.Trim(word, ",.()"); len(word) == 3 && strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			return word
		}
	}
	return nil
}
