package download

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"strings"
)

// What is known of a file that is not whole stands beside it: a head, which changes
// seldom, and how far each part has come, eight bytes each.

const (
	headSize  = 8 << 10
	partEntry = 8
	// synced is set in the entry of a part that is complete and on the disk.
	synced = 1 << 63
	// maxParts bounds the parts of a file, whatever the config says.
	maxParts = 10_000
	// maxValidator bounds what is kept of an ETag, a date or a media type.
	maxValidator = 1 << 10
)

// head is what all parts share.
type head struct {
	Version    int    `json:"version"`
	Run        string `json:"run"`
	Boot       string `json:"boot"` // of the machine, since when what was written can be relied on
	Generation int64  `json:"generation"`
	Size       int64  `json:"size"`  // -1: unknown
	Part       int64  `json:"part"`  // bytes of a part; 0: all of it is one
	Parts      int    `json:"parts"` // how many
	ETag       string `json:"etag,omitempty"`
	Modified   string `json:"modified,omitempty"` // Last-Modified
	Type       string `json:"type,omitempty"`     // Content-Type
	Ranges     bool   `json:"ranges"`             // the server gives parts of this version
	Checks     checks `json:"checks,omitempty"`
}

const stateVersion = 1

// errState is a state that is not as it was written. It is as if there were none.
var errState = errors.New("the state of a download is damaged")

func (h *head) encode() ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if len(text) >= headSize {
		return nil, errors.New("the state of a download is too large")
	}
	text = append(text, bytes.Repeat([]byte(" "), headSize-len(text)-1)...)
	return append(text, '\n'), nil
}

// decodeState reads a state as a whole.
func decodeState(data []byte) (*head, []uint64, error) {
	if len(data) < headSize {
		return nil, nil, errState
	}
	h := &head{}
	if err := json.Unmarshal(data[:headSize], h); err != nil || !h.valid() || len(data) < headSize+h.Parts*partEntry {
		return nil, nil, errState
	}
	progress := make([]uint64, h.Parts)
	for i := range progress {
		progress[i] = binary.BigEndian.Uint64(data[headSize+i*partEntry:])
		if _, length := h.span(i); length >= 0 && progress[i]&^synced > uint64(length) || progress[i]&^synced > 1<<62 {
			return nil, nil, errState
		}
	}
	return h, progress, nil
}

func (h *head) valid() bool {
	switch {
	case h.Version != stateVersion, h.Size < -1, h.Size > 1<<62, h.Part < 0, h.Parts < 1, h.Parts > maxParts, h.Generation < 0:
		return false
	case h.Part == 0:
		return h.Parts == 1
	}
	return h.Size > 0 && h.Part <= h.Size && (h.Size-1)/h.Part+1 == int64(h.Parts)
}

// span is where a part begins, and its length, -1 where that is unknown.
func (h *head) span(part int) (at, length int64) {
	if h.Part == 0 {
		return 0, h.Size
	}
	at = int64(part) * h.Part
	return at, min(h.Part, h.Size-at)
}

// partSize is how large parts are made so that there are not too many.
func partSize(size, asked int64) int64 {
	least := (size + maxParts - 1) / maxParts
	const unit = 1 << 20
	return max(asked, (least+unit-1)/unit*unit)
}

// bootID changes when the machine starts anew; "" where that cannot be told, and
// nothing that was not synced is relied on.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
