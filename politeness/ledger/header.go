package ledger

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

// Formats. Entries follow the format of the run frame before them, so that a
// ledger may hold several. The second brought Entry.Answered, Booked and Failed, the
// third Method and Call.
const (
	formatVersion = 3
	formatLeast   = 1
)

// runFrame is the payload of a run frame.
type runFrame struct {
	Format    int           `json:"format"`
	Precision time.Duration `json:"precision_ns"`
	// Continued says that the process is the one of the run frame before, and
	// only the segment is new.
	Continued bool `json:"continued,omitempty"`
	// Base is what times are counted from, in microseconds since 1970.
	Base int64   `json:"base_us"`
	Run  RunInfo `json:"info"`
}

func encodeRun(run RunInfo, base time.Time, continued bool) ([]byte, error) {
	out, err := json.Marshal(runFrame{
		Format: formatVersion, Precision: Precision, Continued: continued, Base: base.UnixMicro(), Run: run,
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: run info: %w", err)
	}
	if len(out) > maxPayload {
		return nil, fmt.Errorf("ledger: run info of %d octets, more than %d", len(out), maxPayload)
	}
	return out, nil
}

func decodeRun(payload []byte) (runFrame, error) {
	var f runFrame
	if err := json.Unmarshal(payload, &f); err != nil {
		return f, fmt.Errorf("%w: %w", errFormat, err)
	}
	if f.Format < formatLeast || f.Format > formatVersion || f.Precision != Precision {
		return f, fmt.Errorf("format %d with precision %v is not known to this version", f.Format, f.Precision)
	}
	return f, nil
}

// version is a RobotsVersion as it stands in a file.
type version struct {
	RobotsVersion
	held bool // the body stands here
}

// hashOf is robots.File.Hash without reading the file.
func hashOf(body []byte) (hash [16]byte) {
	sum := sha256.Sum256(body[:min(len(body), robots.MaxSize)])
	copy(hash[:], sum[:])
	return hash
}

func (c *codec) encodeVersion(dst []byte, v *version) []byte {
	dst = appendString(dst, v.Origin[:min(len(v.Origin), maxString)])
	dst = append(dst, v.Hash[:]...)
	dst = appendUint(dst, zigzag(c.since(v.FetchedAt)))
	dst = appendUint(dst, uint64(v.Status))
	if !v.held {
		return append(dst, 0)
	}
	return appendString(append(dst, 1), v.Body[:min(len(v.Body), robots.MaxSize)])
}

func (c *codec) decodeVersions(payload []byte) ([]version, error) {
	var out []version
	err := c.eachVersion(payload, func(v *version) bool {
		if v.held && hashOf(v.Body) != v.Hash {
			return false
		}
		v.Body = append([]byte(nil), v.Body...)
		out = append(out, *v)
		return true
	})
	return out, err
}

// bodyOf finds a body in a payload; nil when it is not there.
func bodyOf(payload []byte, hash [16]byte) (body []byte, err error) {
	var c codec
	err = c.eachVersion(payload, func(v *version) bool {
		if v.held && v.Hash == hash {
			body = v.Body
		}
		return true
	})
	return body, err
}

// eachVersion reads versions whose bodies are part of the payload, as long as
// yield takes them.
func (c *codec) eachVersion(payload []byte, yield func(*version) bool) error {
	in := input{rest: payload}
	for len(in.rest) > 0 {
		var v version
		v.Origin = string(in.bytes(maxString))
		copy(v.Hash[:], in.take(len(v.Hash)))
		v.FetchedAt = c.at(unzigzag(in.uvarint()))
		v.Status = int(in.uvarint())
		if v.held = in.byte() != 0; v.held {
			v.Body = in.bytes(robots.MaxSize)
		}
		if in.bad || !yield(&v) {
			return errFormat
		}
	}
	return nil
}
