package bucket

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// The schemes of buckets.
const (
	S3     = "s3"
	GCS    = "gs"
	Azure  = "azblob"
	Folder = "file"
)

// Bucket is an open bucket. Its methods are safe for concurrent use, and each is one
// exchange (Put of a large object several) within its context's time. Errors are
// *Error.
type Bucket interface {
	// List gives a page of the objects whose keys begin with a prefix.
	List(ctx context.Context, o ListOptions) (Page, error)
	// Open reads an object, or a part of it. Its body has to be closed.
	Open(ctx context.Context, key string, o ReadOptions) (*Object, error)
	// Stat tells of an object without reading it.
	Stat(ctx context.Context, key string) (Attributes, error)
	// Put writes an object, in place of one that is there. The object is there as a
	// whole or not at all, and durable, when Put returns.
	Put(ctx context.Context, key string, body *io.SectionReader, o WriteOptions) error
	// Delete takes an object away; that there is none is no error.
	Delete(ctx context.Context, key string) error
	// Close frees connections. Calls must have ended.
	Close() error
}

// Options say which bucket, and who asks.
type Options struct {
	// URL is s3://bucket, gs://bucket, azblob://container or file:///folder; what
	// follows is a prefix of all keys, and not part of them.
	URL string
	// Endpoint is the address of a server that speaks S3 (or stands in for another
	// service), empty for the service's own.
	Endpoint string
	// Region of an S3 bucket; empty: us-east-1.
	Region string
	// PathStyle puts the bucket's name into the path, as most servers other than
	// Amazon's want it. A server named by Endpoint gets it always.
	PathStyle bool
	// AccessKey and SecretKey sign requests: the pair of S3, or the account and key of
	// Azure. SessionToken goes with keys of S3 that end.
	AccessKey, SecretKey, SessionToken string
	// Credentials are those of a Google service account, as JSON.
	Credentials string
	// Anonymous asks without credentials.
	Anonymous bool
	// Connections is how many are kept open; zero: 16.
	Connections int
	// UserAgent is sent along.
	UserAgent string
}

// Page is a page of a listing.
type Page struct {
	Objects []Attributes
	// Next is ListOptions.After of the next page, empty after the last.
	Next string
}

// ListOptions select objects.
type ListOptions struct {
	Prefix string
	After  string // from the page before
	Limit  int    // objects in the page at most; zero: 1000, which is also the most
}

// MaxPage is the most objects of a page.
const MaxPage = 1000

// Attributes are what is known of an object.
type Attributes struct {
	Key      string
	Size     int64
	Modified time.Time
	// ETag is the object's version as HTTP writes it, with quotes; empty where the
	// service has none.
	ETag string
	// ContentType is known of what was opened, not of what was listed.
	ContentType string
	// Checksums are of the whole object, by the names of Checksum*.
	Checksums map[string][]byte
}

// The names of checksums.
const (
	MD5    = "md5"
	SHA1   = "sha1"
	SHA256 = "sha256"
	CRC32  = "crc32"
	CRC32C = "crc32c"
	CRC64  = "crc64nvme"
)

// ReadOptions select what is read of an object.
type ReadOptions struct {
	Offset int64
	Length int64 // zero: to the end
	// IfMatch is the ETag that the object must have; another gives ErrChanged.
	IfMatch string
}

// whole reports whether all of an object is read.
func (o ReadOptions) whole() bool { return o.Offset == 0 && o.Length == 0 }

// Object is an object that is read.
type Object struct {
	Attributes // Size is that of the whole object, -1 where it is not known
	// Body holds Length bytes from Offset on; an early end is io.ErrUnexpectedEOF.
	Body   io.ReadCloser
	Offset int64
	Length int64
}

// WriteOptions are what is said of an object.
type WriteOptions struct {
	ContentType string
	// Exchange is given each request that Put makes, and makes it by calling do once,
	// or gives an error that ends the Put. nil: they are made at once. The clients of
	// Google Cloud Storage and Azure do not let their requests be told apart: there a
	// Put is one.
	Exchange func(ctx context.Context, x Exchange, do func(context.Context) error) error
}

// Open opens a bucket. Nothing is asked of a service before the first call; a folder
// has to be there. Errors are for people, wrap ErrOptions or ErrNotBuilt, and hold no
// credentials.
func Open(ctx context.Context, o Options) (Bucket, error) {
	place, err := Parse(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Connections <= 0 {
		o.Connections = 16
	}
	var b Bucket
	switch place.Scheme {
	case S3:
		b, err = openS3(place, o)
	case Folder:
		return openFolder(place)
	default:
		b, err = openOther(ctx, place, o)
	}
	if err != nil {
		return nil, err
	}
	return within(b, place.Prefix), nil
}

// Place is what the URL of a bucket names.
type Place struct {
	Scheme string
	Name   string // of the bucket; a folder's path
	Prefix string // of keys
}

// Parse reads the URL of a bucket. The error wraps ErrOptions.
func Parse(address string) (Place, error) {
	scheme, rest, ok := strings.Cut(address, ":")
	scheme = strings.ToLower(scheme)
	switch {
	case ok && scheme == Folder:
		return parseFolder(rest)
	case !ok || scheme != S3 && scheme != GCS && scheme != Azure:
		return Place{}, fmt.Errorf("%w: want s3://bucket, gs://bucket, azblob://container or file:///folder", ErrOptions)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Port() != "" {
		return Place{}, fmt.Errorf("%w: want %s://bucket/prefix and nothing else; endpoint, region and keys have options of their own", ErrOptions, scheme)
	}
	return Place{Scheme: scheme, Name: u.Host, Prefix: strings.TrimPrefix(u.Path, "/")}, nil
}

func parseFolder(rest string) (Place, error) {
	path := rest
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		if !strings.HasPrefix(after, "/") {
			return Place{}, fmt.Errorf("%w: write file:folder, or file:///folder for a path from the root", ErrOptions)
		}
		path = after
	}
	if path == "" || strings.ContainsRune(path, 0) {
		return Place{}, fmt.Errorf("%w: name the folder, as in file:///srv/files", ErrOptions)
	}
	return Place{Scheme: Folder, Name: path}, nil
}

// IsURL reports whether a text is meant as the URL of a bucket.
func IsURL(address string) bool {
	scheme, _, ok := strings.Cut(address, ":")
	switch strings.ToLower(scheme) {
	case S3, GCS, Azure, Folder:
		return ok
	}
	return false
}
