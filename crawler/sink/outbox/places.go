package outbox

import (
	"maps"
	"slices"
)

// maxListed bounds the parts of a stream that are listed.
const maxListed = 3

// Places lists the parts that were handed on, by the name that each has: the first
// ones and the last of each stream.
func (o *Outbox) Places(name func(stream string, serial int64) string) (places []string) {
	done := o.handedOn()
	for _, stream := range slices.Sorted(maps.Keys(done)) {
		n := done[stream]
		for serial := int64(1); serial <= n; serial++ {
			if serial < maxListed {
				places = append(places, name(stream, serial))
				continue
			}
			places = append(places, name(stream, n))
			break
		}
	}
	return places
}

// Unlisted counts the parts that were handed on and are not among Places.
func (o *Outbox) Unlisted() (n int64) {
	for _, parts := range o.handedOn() {
		n += max(0, parts-maxListed)
	}
	return n
}

// handedOn is the serial of the last part of each stream that was handed on.
func (o *Outbox) handedOn() map[string]int64 {
	n := map[string]int64{}
	if o == nil {
		return n
	}
	for name, s := range o.streams {
		n[name] = s.done
		for _, p := range s.parts {
			if p.delivered {
				n[name] = p.Serial
			}
		}
	}
	return n
}
