package cache

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"net/http"
	"time"

	"github.com/klauspost/compress/zstd"
)

// An entry's file: the name of the form, the checksums of head and body, their lengths,
// the head as JSON, and the packed body.
const (
	magic    = "amblec1\n"
	fixed    = len(magic) + 4 + 4 + 4 + 4
	maxHead  = 1 << 20
	maxPlain = 1<<30 + 1
)

var errDamaged = errors.New("a damaged entry")

// head is what is known of an answer without its body.
type head struct {
	Status    int               `json:"status"`
	Header    http.Header       `json:"header"`
	MediaType string            `json:"media_type,omitempty"`
	Charset   string            `json:"charset,omitempty"`
	Location  string            `json:"location,omitempty"`
	FetchedAt time.Time         `json:"fetched_at"` // of the body
	Asked     time.Time         `json:"asked"`      // of the last exchange
	Received  time.Time         `json:"received"`
	Vary      map[string]string `json:"vary,omitempty"`
	Size      int64             `json:"size"` // of the body, unpacked
	Elements  int64             `json:"elements"`
}

var table = crc32.MakeTable(crc32.Castagnoli)

// write makes an entry's file of its head and its packed body.
func write(h *head, packed []byte) ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if len(text) > maxHead || len(packed) > maxPlain {
		return nil, errors.New("an answer too large to store")
	}
	out := make([]byte, 0, fixed+len(text)+len(packed))
	out = append(out, magic...)
	out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(text, table))
	out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(packed, table))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(text)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(packed)))
	return append(append(out, text...), packed...), nil
}

// lengths are those of head and body, by an entry's first bytes.
func lengths(first []byte) (text, packed int, err error) {
	if len(first) < fixed || string(first[:len(magic)]) != magic {
		return 0, 0, errDamaged
	}
	text = int(binary.LittleEndian.Uint32(first[len(magic)+8:]))
	packed = int(binary.LittleEndian.Uint32(first[len(magic)+12:]))
	if text > maxHead || packed > maxPlain {
		return 0, 0, errDamaged
	}
	return text, packed, nil
}

// readHead reads a head that follows an entry's first bytes.
func readHead(first, text []byte) (*head, error) {
	if crc32.Checksum(text, table) != binary.LittleEndian.Uint32(first[len(magic):]) {
		return nil, errDamaged
	}
	var h head
	if err := json.Unmarshal(text, &h); err != nil || h.Header == nil || h.Size < 0 || h.Size > maxPlain {
		return nil, errDamaged
	}
	return &h, nil
}

// unpack reads a body.
func unpack(z *zstd.Decoder, first, packed []byte, size int64) ([]byte, error) {
	if crc32.Checksum(packed, table) != binary.LittleEndian.Uint32(first[len(magic)+4:]) {
		return nil, errDamaged
	}
	body, err := z.DecodeAll(packed, make([]byte, 0, min(size, 64<<20)))
	if err != nil || int64(len(body)) != size {
		return nil, errDamaged
	}
	return body, nil
}
