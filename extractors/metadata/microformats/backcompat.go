package microformats

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// oldFormat is how a format from before microformats2 is read.
type oldFormat struct {
	root       string
	properties map[string]property
	rels       map[string]property
}

// oldItem is what a review is of: a format only within one.
var oldItem = format("h-item", `p-name:fn u-photo:photo u-url:url`, ``)

// holdsItem tells whether n is such an item within this format.
func (f *oldFormat) holdsItem(n *html.Node) bool {
	return f != nil && strings.HasPrefix(f.root, "h-review") && slices.Contains(classesOf(n), "item")
}

// oldFormats are by the class of their root.
var oldFormats = map[string]*oldFormat{
	"vcard": format("h-card", `p-name:fn p-honorific-prefix:honorific-prefix p-given-name:given-name
		p-additional-name:additional-name p-family-name:family-name p-honorific-suffix:honorific-suffix
		p-nickname:nickname u-email:email u-logo:logo u-photo:photo u-url:url u-uid:uid p-category:category
		p-adr:adr p-extended-address:extended-address p-street-address:street-address p-locality:locality
		p-region:region p-postal-code:postal-code p-country-name:country-name p-label:label p-geo:geo
		p-latitude:latitude p-longitude:longitude p-tel:tel p-note:note dt-bday:bday u-key:key p-org:org
		p-organization-name:organization-name p-organization-unit:organization-unit p-job-title:title
		p-role:role u-sound:sound p-tz:tz dt-rev:rev`, ``),
	"adr": format("h-adr", `p-post-office-box:post-office-box p-extended-address:extended-address
		p-street-address:street-address p-locality:locality p-region:region p-postal-code:postal-code
		p-country-name:country-name`, ``),
	"geo": format("h-geo", `p-latitude:latitude p-longitude:longitude`, ``),
	"hentry": format("h-entry", `p-name:entry-title p-summary:entry-summary e-content:entry-content
		dt-published:published dt-updated:updated p-author:author p-category:category`,
		`u-url:bookmark p-category:tag`),
	"hfeed": format("h-feed", `p-name:site-title p-summary:site-description p-author:author
		u-photo:photo u-url:url`, `p-category:tag`),
	"hnews": format("h-news", `p-entry:entry p-geo:geo p-latitude:latitude p-longitude:longitude
		p-source-org:source-org p-dateline:dateline`, `u-principles:principles`),
	"vevent": format("h-event", `p-name:summary dt-start:dtstart dt-end:dtend dt-duration:duration
		p-description:description u-url:url p-category:category p-location:location p-geo:geo
		p-attendee:attendee p-organizer:organizer p-contact:contact`, ``),
	"hproduct": format("h-product", `p-name:fn u-photo:photo p-brand:brand p-category:category
		p-description:description u-identifier:identifier u-url:url p-review:review p-price:price
		p-price-range:pricerange`, ``),
	"hrecipe": format("h-recipe", `p-name:fn p-ingredient:ingredient p-yield:yield e-instructions:instructions
		dt-duration:duration u-photo:photo p-summary:summary p-author:author dt-published:published
		p-nutrition:nutrition p-category:category`, `p-category:tag`),
	"hresume": format("h-resume", `p-summary:summary p-contact:contact p-education:education
		p-experience:experience p-skill:skill p-affiliation:affiliation`, ``),
	"hreview": format("h-review", `p-name:summary p-item:item p-author:reviewer dt-published:dtreviewed
		p-rating:rating p-best:best p-worst:worst e-content:description p-category:category`,
		`p-category:tag u-url:self u-url:bookmark`),
	"hreview-aggregate": format("h-review-aggregate", `p-name:summary p-item:item p-rating:rating
		p-best:best p-worst:worst p-average:average p-count:count p-votes:votes p-category:category
		u-url:url`, `p-category:tag`),
	"hlisting": format("h-listing", `p-name:summary p-description:description p-price:price dt-listed:dtlisted
		dt-expires:dtexpired p-lister:lister p-item:item p-location:location u-photo:photo u-url:url`, `p-category:tag`),
}

// format reads pairs of a property and the class, or the link type, that stands
// for it.
func format(root, classes, rels string) *oldFormat {
	return &oldFormat{root: root, properties: pairs(classes), rels: pairs(rels)}
}

func pairs(text string) map[string]property {
	all := map[string]property{}
	for pair := range strings.FieldsSeq(text) {
		to, from, _ := strings.Cut(pair, ":")
		kind, name, _ := strings.Cut(to, "-")
		all[from] = property{kind, name}
	}
	return all
}
