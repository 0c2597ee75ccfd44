package archive

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
)

// The form of a file: a line that names it and the mark of what is sealed in it, and
// frames. A frame is the length of its
// content, the checksum of the rest of the frame, the key of the exchange, and the
// content: the exchange as JSON, after its length, and the body, packed together.
const (
	magic      = "amble archive 1 "
	markSize   = 16
	fileHead   = len(magic) + markSize + 1
	frameHead  = 4 + 4 + 16
	maxContent = 1<<31 - 1
)

// ErrDamaged means that a file is no archive, or not what was written.
var ErrDamaged = errors.New("the archive is damaged")

// key tells exchanges apart.
type key [16]byte

func keyOf(method, url, body string) key {
	if method == "" {
		method = http.MethodGet
	}
	return xxh3.HashString128(method + "\x00" + url + "\x00" + body).Bytes()
}

// exchange is what is kept beside the body.
type exchange struct {
	Method    string      `json:"method,omitempty"`
	URL       string      `json:"url"`
	Status    int         `json:"status,omitempty"`
	Header    http.Header `json:"header,omitempty"`
	MediaType string      `json:"media_type,omitempty"`
	Charset   string      `json:"charset,omitempty"`
	Wire      int64       `json:"wire,omitempty"`
	FetchedAt time.Time   `json:"fetched_at"`
	Location  string      `json:"location,omitempty"`
	Error     *failure    `json:"error,omitempty"`
}

type failure struct {
	Class crawler.Class `json:"class"`
	Text  string        `json:"text"`
}

var table = crc32.MakeTable(crc32.Castagnoli)

func checksum(k key, content []byte) uint32 {
	return crc32.Update(crc32.Checksum(k[:], table), table, content)
}

// frame writes an exchange.
func frame(z *zstd.Encoder, k key, x *exchange, body []byte) ([]byte, error) {
	head, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, 0, binary.MaxVarintLen64+len(head)+len(body))
	plain = binary.AppendUvarint(plain, uint64(len(head)))
	plain = append(append(plain, head...), body...)
	out := make([]byte, frameHead, frameHead+len(plain)/3)
	out = z.EncodeAll(plain, out)
	content := out[frameHead:]
	if len(content) > maxContent {
		return nil, errors.New("an exchange is too large for an archive")
	}
	binary.LittleEndian.PutUint32(out, uint32(len(content)))
	binary.LittleEndian.PutUint32(out[4:], checksum(k, content))
	copy(out[8:], k[:])
	return out, nil
}

// open reads the content of a frame.
func open(z *zstd.Decoder, content []byte) (*exchange, []byte, error) {
	plain, err := z.DecodeAll(content, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	n, used := binary.Uvarint(plain)
	if used <= 0 || n > uint64(len(plain)-used) {
		return nil, nil, fmt.Errorf("%w: a frame without its exchange", ErrDamaged)
	}
	var x exchange
	d := json.NewDecoder(bytes.NewReader(plain[used : used+int(n)]))
	if err := d.Decode(&x); err != nil {
		return nil, nil, fmt.Errorf("%w: a frame whose exchange cannot be read", ErrDamaged)
	}
	return &x, plain[used+int(n):], nil
}
