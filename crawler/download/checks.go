package download

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
)

// checks are sums that the whole file must have, by their algorithm.
type checks map[string][]byte

const sha512Name = "sha512"

// crc64nvme is that of the NVM Express specification, which S3 has taken over.
var crc64nvme = crc64.MakeTable(0x9a6c9329ac4bc9b5)

var sums = map[string]func() hash.Hash{
	bucket.MD5: md5.New, bucket.SHA1: sha1.New, bucket.SHA256: sha256.New, sha512Name: sha512.New,
	bucket.CRC32:  func() hash.Hash { return crc32.NewIEEE() },
	bucket.CRC32C: func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	bucket.CRC64:  func() hash.Hash { return crc64.New(crc64nvme) },
}

// amazon are the fields of S3 and what they are sums by.
var amazon = map[string]string{
	"X-Amz-Checksum-Sha256": bucket.SHA256, "X-Amz-Checksum-Sha1": bucket.SHA1, "X-Amz-Checksum-Crc32": bucket.CRC32,
	"X-Amz-Checksum-Crc32c": bucket.CRC32C, "X-Amz-Checksum-Crc64nvme": bucket.CRC64,
}

// stated reads the sums of the whole file from the header of an answer, which was
// whole or a part of it. What is malformed says nothing.
func stated(h http.Header, whole, object bool) checks {
	c := checks{}
	if whole {
		c.add(bucket.MD5, base64Sum(h.Get("Content-MD5")))
		c.digest(h.Values("Content-Digest"))
	}
	c.digest(h.Values("Repr-Digest"))
	if whole || object {
		// Of a part that S3 gives these are of the whole; they are not composed of
		// those of parts, which end with a number, and are left out then.
		if !strings.EqualFold(h.Get("X-Amz-Checksum-Type"), "COMPOSITE") {
			for field, name := range amazon {
				c.add(name, base64Sum(h.Get(field)))
			}
		}
	}
	if object && !strings.EqualFold(h.Get("X-Amz-Server-Side-Encryption"), "aws:kms") {
		c.add(bucket.MD5, etagMD5(h.Get("ETag")))
	}
	return c
}

// etagMD5 is the MD5 that an ETag of S3 is where the object was sent as a whole.
func etagMD5(etag string) []byte {
	text := strings.Trim(etag, `"`)
	sum, err := hex.DecodeString(text)
	if err != nil || len(sum) != md5.Size || strings.HasPrefix(etag, "W/") {
		return nil
	}
	return sum
}

func base64Sum(v string) []byte {
	sum, err := base64.StdEncoding.DecodeString(v)
	if err != nil {
		return nil
	}
	return sum
}

func (c checks) add(name string, sum []byte) {
	if make, ok := sums[name]; ok && len(sum) == make().Size() {
		c[name] = sum
	}
}

// digest reads a dictionary of RFC 9530 section 2: sha-256=:base64:, and so on.
func (c checks) digest(values []string) {
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, v, _ := strings.Cut(strings.TrimSpace(item), "=")
		v, _, _ = strings.Cut(v, ";")
		if len(v) < 2 || v[0] != ':' || v[len(v)-1] != ':' {
			continue
		}
		as := map[string]string{"sha-256": bucket.SHA256, "sha-512": sha512Name, "md5": bucket.MD5, "sha": bucket.SHA1}[strings.ToLower(name)]
		c.add(as, base64Sum(v[1:len(v)-1]))
	}
}

// merge takes over what is not known yet.
func (c checks) merge(more checks) {
	for name, sum := range more {
		if _, known := c[name]; !known {
			c[name] = sum
		}
	}
}

// summing is a file's sums as it goes by: SHA-256 for its record, and those that are
// compared.
type summing map[string]hash.Hash

func (s *Store) summing(c checks) summing {
	all := summing{}
	if !s.Unsummed {
		all[bucket.SHA256] = sha256.New()
	}
	for name := range c {
		if all[name] == nil {
			all[name] = sums[name]()
		}
	}
	return all
}

// Write implements io.Writer.
func (s summing) Write(p []byte) (int, error) {
	for _, h := range s {
		h.Write(p)
	}
	return len(p), nil
}

// sha256 is "" where that was not summed up.
func (s summing) sha256() string {
	h := s[bucket.SHA256]
	if h == nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// covers reports whether all of the checks are summed.
func (s summing) covers(c checks) bool {
	for name := range c {
		if s[name] == nil {
			return false
		}
	}
	return true
}

// hold compares. Another attempt may well give what was meant.
func (c checks) hold(s summing) error {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if got := s[name].Sum(nil); !bytes.Equal(got, c[name]) {
			return &crawler.FetchError{Class: crawler.ClassChecksum, Temporary: true,
				Err: fmt.Errorf("its %s is %x, and should be %x", name, got, c[name])}
		}
	}
	return nil
}
