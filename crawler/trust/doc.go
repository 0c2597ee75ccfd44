// Package trust holds records against what a crawl demands of them: a JSON Schema
// and fields that must be there, for each record type. A record that fails becomes
// a reject, with every reason, and is not written with the others.
//
// It promises that a schema is compiled without the network: a $ref leads into the
// schema itself, to a file in its folder or below, or to one of the published
// drafts, and anything else is an error at its place. Checking a record ends: RE2
// runs in linear time, schemas that refer to themselves without end are reported,
// and a fault in a check costs the record and not the page.
//
// A schema sees a record as its fields alone, without provenance, and a field
// without a value as absent.
package trust
