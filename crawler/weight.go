package crawler

import (
	"bytes"
	"strings"
)

// Arrived is a body that was received and is not in memory as a whole yet.
type Arrived struct {
	MediaType string // as the server says, lower case, without parameters
	Size      int64  // bytes, decoded
	// Elements is how many parts it has that take memory each, by ElementsOf: one
	// takes what an element of HTML does.
	Elements int64
}

// What the values of JSON take, as encoding/json makes them and as records hold them
// afterwards: bytes for each sign. Measured on 8 MiB of each, at its peak and with the
// copy for the record, in bytes for a byte of JSON:
//
//	document            measured   weight   what grows
//	[{"a":1},...]           57       62     a map for each object, with room for 8 members
//	[{"":{"":{...}}}]       79       83
//	[{},{},...]             47      158     nobody sends it; the sign does not tell
//	[[[[]]],...]            42       53
//	[0,0,...]               36       60
//	[1.234,2.345],...       13       18
//	["a","a",...]           24       32
//	{"1a2b":0,...}          14       15     one map of a million members
//	an API's list           10       13     objects with eight members and some text
//	long texts               5        9
//
// Commas and braces in texts count too, which is where the weight is most too high.
//
// Trees of HTML take 6 to 8 times their pages' size with Debian's manuals, weighed at 12
// to 14 by 240 for each "<", and 28 times where there is nothing but <br>, weighed at 64;
// what can exceed that tree.go follows. XML is read as a stream, of which one element
// with at most 50,000 nodes is held.
const (
	jsonObject = 400
	jsonArray  = 96
	jsonValue  = 112
)

// ElementsOf tells how the Elements of a body of that type are counted, in parts of
// any length.
func ElementsOf(mediaType string) func(part []byte) int {
	if IsJSON(mediaType) {
		return jsonElements
	}
	return htmlElements
}

// IsJSON reports whether a type is JSON by its name, or JSON by lines.
func IsJSON(mediaType string) bool {
	switch mediaType {
	case "application/json", "text/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return true
	}
	return strings.HasSuffix(mediaType, "+json")
}

func htmlElements(part []byte) int { return bytes.Count(part, []byte("<")) }

func jsonElements(part []byte) int {
	return (jsonObject*bytes.Count(part, []byte("{")) + jsonArray*bytes.Count(part, []byte("[")) +
		jsonValue*bytes.Count(part, []byte(",")) + markWeight - 1) / markWeight
}

// WeightOfJSON is what JSON takes at most as values and as records, in bytes beside
// its text: by its signs, cheaply.
func WeightOfJSON(text []byte) int64 {
	return growth*int64(len(text)) + markWeight*int64(jsonElements(text))
}
