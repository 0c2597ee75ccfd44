package metadata

import (
	"context"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

func init() {
	crawler.Extractors.Register("event", func() crawler.Extractor { return &Event{} })
}

// Event makes a record of every event that a page describes, whichever format
// says so. It is safe for concurrent use.
type Event struct {
	Precedence `yaml:",inline"`
}

var (
	_ crawler.Extractor   = (*Event)(nil)
	_ crawler.Validator   = (*Event)(nil)
	_ crawler.FieldLister = (*Event)(nil)
)

var eventFields = []string{
	"name", "type", "description", "start", "end", "status", "attendance",
	"venue", "address", "country", "latitude", "longitude", "online_url",
	"organizer", "performers", "price", "price_max", "currency", "availability", "tickets",
	"images", "url", "offers",
}

// FieldNames lists the fields of every record.
func (*Event) FieldNames() []string { return append(slices.Clone(eventFields), "origin") }

var (
	eventStatuses = members("EventScheduled EventRescheduled EventPostponed EventCancelled EventMovedOnline",
		map[string]string{"confirmed": "EventScheduled", "cancelled": "EventCancelled", "canceled": "EventCancelled"})
	attendances = members("OfflineEventAttendanceMode OnlineEventAttendanceMode MixedEventAttendanceMode", nil)
)

// Extract emits the records.
func (x *Event) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	s, err := x.listen(ctx, p, e)
	if err != nil {
		return err
	}
	var claims []*claim
	for _, th := range s.outermost(isEvent) {
		r := &reading{e, th.origin}
		if th.origin == "microformats2" {
			claims = append(claims, r.oldEvent(th.Item))
		} else {
			claims = append(claims, r.event(th.Item))
		}
	}
	subjects := joined(claims)
	if s.og != nil && len(subjects) == 1 { // the page is about it
		c := newClaim("opengraph")
		c.set("description", text(s.og, "description"))
		c.set("images", list(addresses(s.og.Get("images"))))
		c.set("url", address(s.og, "url"))
		subjects[0].take(c)
	}
	for _, subject := range subjects {
		e.Record(subject.fields(eventFields, x.order())...)
	}
	return nil
}

func isEvent(it *item.Item) bool { return eventType(it) != "" }

// eventType is the type that makes an item an event; "" when none does.
func eventType(it *item.Item) string {
	for _, t := range it.Types {
		switch t {
		case "h-event", "Festival", "Hackathon", "EventSeries", "CourseInstance":
			return t
		case "PublicationEvent", "BroadcastEvent", "OnDemandEvent": // parts of what was published
			continue
		}
		if strings.HasSuffix(t, "Event") {
			return t
		}
	}
	return ""
}

// event reads a thing of schema.org.
func (r *reading) event(it *item.Item) *claim {
	c := newClaim(r.origin)
	c.set("name", text(it, "name"))
	c.set("type", eventType(it))
	c.set("description", text(it, "description"))
	c.set("start", r.date("start", it, "startDate"))
	c.set("end", r.date("end", it, "endDate"))
	c.set("status", member(eventStatuses, text2(it, "eventStatus")))
	c.set("attendance", member(attendances, text2(it, "eventAttendanceMode")))
	c.set("organizer", text(it, "organizer"))
	c.set("performers", list(texts(append(slices.Clone(it.Get("performer")), it.Get("performers")...))))
	c.set("images", list(addresses(it.Get("image"))))
	c.set("url", address(it, "url"))
	c.set("venue", plainText(it.Get("location")))
	for _, place := range things(it.Get("location")) {
		r.place(c, place)
	}
	r.offers(c, it)
	r.identifyEvent(c, it)
	return c
}

func (r *reading) identifyEvent(c *claim, it *item.Item) {
	c.key("id", it.ID)
	name, _ := c.values["name"].(string)
	start, _ := c.values["start"].(string)
	if name != "" { // a name alone may be that of a series
		c.key("name", name+" "+start)
	}
}

// place reads where an event is.
func (r *reading) place(c *claim, place *item.Item) {
	if place.Is("VirtualLocation") {
		c.set("online_url", address(place, "url"))
		return
	}
	c.set("venue", text(place, "name"))
	c.set("address", plainText(place.Get("address")))
	postal := things(place.Get("address"))
	if place.Is("PostalAddress") {
		postal = append(postal, place)
	}
	for _, a := range postal {
		c.set("address", postalAddress(a))
		c.set("country", text(a, "addressCountry"))
	}
	for _, geo := range append(things(place.Get("geo")), place) {
		c.set("latitude", r.number("latitude", geo, "latitude"))
		c.set("longitude", r.number("longitude", geo, "longitude"))
	}
}

// postalAddress is an address on one line, without the country.
func postalAddress(a *item.Item) string {
	var parts []string
	for _, names := range [][]string{
		{"streetAddress", "street-address"}, {"postalCode", "postal-code"},
		{"addressLocality", "locality"}, {"addressRegion", "region"},
	} {
		if t := text(a, names...); t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, ", ")
}

// oldEvent reads an h-event.
func (r *reading) oldEvent(it *item.Item) *claim {
	c := newClaim(r.origin)
	c.set("name", text(it, "name"))
	c.set("type", eventType(it))
	c.set("description", text(it, "summary", "description"))
	c.set("start", r.date("start", it, "start"))
	c.set("end", r.date("end", it, "end"))
	c.set("status", member(eventStatuses, text(it, "status")))
	c.set("organizer", text(it, "organizer"))
	c.set("performers", list(texts(it.Get("performer"))))
	c.set("url", address(it, "url"))
	c.set("images", list(addresses(append(slices.Clone(it.Get("photo")), it.Get("featured")...))))
	c.set("venue", first(texts(it.Get("location"))))
	for _, place := range things(it.Get("location")) {
		c.set("address", postalAddress(place))
		c.set("country", text(place, "country-name"))
		for _, a := range things(place.Get("adr")) {
			c.set("address", postalAddress(a))
			c.set("country", text(a, "country-name"))
		}
		for _, geo := range append(things(place.Get("geo")), place) {
			c.set("latitude", r.number("latitude", geo, "latitude"))
			c.set("longitude", r.number("longitude", geo, "longitude"))
		}
	}
	r.identifyEvent(c, it)
	return c
}
