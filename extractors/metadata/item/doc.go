// Package item is what the formats of structured data have in common: things with
// types, an address and properties; what reading them may cost; and how they
// become fields of a record.
//
// It promises that what refers to itself ends, and that what is said once but
// meant in a thousand places does not fill the memory: see Writer.
package item
