package bucket

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// s3Bucket speaks to S3 through Amazon's client, of which nothing is used but the
// making of requests: it neither retries nor looks for credentials.
type s3Bucket struct {
	client *s3.Client
	name   string
	http   *http.Client
}

const (
	connectTimeout = 10 * time.Second
	headerTimeout  = 60 * time.Second
	// bufferSize is what is read from a connection at a time. Bodies are large.
	bufferSize = 64 << 10
)

func openS3(place Place, o Options) (Bucket, error) {
	if err := o.checkS3(); err != nil {
		return nil, err
	}
	b := &s3Bucket{name: place.Name, http: newHTTP(o.Connections)}
	options := s3.Options{
		Region: o.Region, HTTPClient: b.http, UsePathStyle: o.PathStyle || o.Endpoint != "",
		Retryer:     aws.NopRetryer{},
		Credentials: aws.AnonymousCredentials{},
		// Checksums of requests are not known to all servers, and those of answers are
		// the caller's to look at.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if options.Region == "" {
		options.Region = "us-east-1"
	}
	if o.Endpoint != "" {
		options.BaseEndpoint = &o.Endpoint
	}
	if !o.Anonymous {
		pair := aws.Credentials{AccessKeyID: o.AccessKey, SecretAccessKey: o.SecretKey, SessionToken: o.SessionToken, Source: "config"}
		options.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return pair, nil })
	}
	if o.UserAgent != "" {
		options.APIOptions = append(options.APIOptions, smithyhttp.SetHeaderValue("User-Agent", o.UserAgent))
	}
	b.client = s3.New(options)
	return b, nil
}

func (o *Options) checkS3() error {
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
			return fmt.Errorf("%w: the endpoint is not an address such as https://s3.example:9000", ErrOptions)
		}
	}
	pair := o.AccessKey != "" && o.SecretKey != ""
	switch {
	case o.Anonymous && (o.AccessKey != "" || o.SecretKey != ""):
		return fmt.Errorf("%w: anonymous, and yet with keys", ErrOptions)
	case !o.Anonymous && !pair:
		return fmt.Errorf("%w: access_key and secret_key are wanted, or anonymous: true for a public bucket", ErrNoKeys)
	}
	return nil
}

// newHTTP makes a client that keeps its connections and follows nothing.
func newHTTP(connections int) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: connectTimeout, ResponseHeaderTimeout: headerTimeout,
			MaxIdleConns: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: 256 << 10, ReadBufferSize: bufferSize, WriteBufferSize: bufferSize,
			DisableCompression: true,
		},
	}
}

// Close implements Bucket.
func (b *s3Bucket) Close() error {
	b.http.CloseIdleConnections()
	return nil
}

// List implements Bucket. It goes on behind a key, which outlives the tokens of S3.
func (b *s3Bucket) List(ctx context.Context, o ListOptions) (Page, error) {
	in := &s3.ListObjectsV2Input{Bucket: &b.name, MaxKeys: aws.Int32(int32(limitOf(o)))}
	in.EncodingType = types.EncodingTypeUrl // XML cannot hold all keys
	if o.Prefix != "" {
		in.Prefix = &o.Prefix
	}
	if o.After != "" {
		in.StartAfter = &o.After
	}
	out, err := b.client.ListObjectsV2(ctx, in)
	if err != nil {
		return Page{}, s3Error("list", o.Prefix, err)
	}
	if out.Name == nil && out.IsTruncated == nil && len(out.Contents) == 0 {
		return Page{}, notListing(o.Prefix, middleware.GetRawResponse(out.ResultMetadata)) // the client reads other documents as an empty one
	}
	page := Page{Objects: make([]Attributes, 0, len(out.Contents))}
	for i := range out.Contents {
		c := &out.Contents[i]
		if key, err := url.QueryUnescape(aws.ToString(c.Key)); err == nil && out.EncodingType == types.EncodingTypeUrl {
			c.Key = &key
		}
		if aws.ToString(c.Key) <= o.After && o.After != "" {
			continue // a server that does not know start-after would list in circles
		}
		page.Objects = append(page.Objects, Attributes{
			Key: aws.ToString(c.Key), Size: aws.ToInt64(c.Size), Modified: aws.ToTime(c.LastModified), ETag: quoted(aws.ToString(c.ETag)),
		})
	}
	truncated := aws.ToBool(out.IsTruncated)
	if n := limitOf(o); len(page.Objects) > n { // by a server that does not know max-keys
		page.Objects, truncated = page.Objects[:n], true
	}
	if n := len(page.Objects); truncated {
		if n == 0 {
			return Page{}, &Error{Op: "list", Key: o.Prefix, Err: errors.New("the server does not go on with its listing")}
		}
		page.Next = page.Objects[n-1].Key
	}
	return page, nil
}

// notListing says what came in the place of a listing.
func notListing(prefix string, answer any) error {
	e := &Error{Op: "list", Key: prefix, Status: http.StatusOK, Err: ErrNotListing}
	if raw, ok := answer.(*smithyhttp.Response); ok {
		e.Status, e.Header = raw.StatusCode, raw.Header
		if kind := raw.Header.Get("Content-Type"); kind != "" {
			e.Err = fmt.Errorf("%w but %.100q: is the endpoint right?", ErrNotListing, kind)
		}
	}
	return e
}

// Open implements Bucket.
func (b *s3Bucket) Open(ctx context.Context, key string, o ReadOptions) (*Object, error) {
	in := &s3.GetObjectInput{Bucket: &b.name, Key: &key}
	if !o.whole() {
		in.Range = aws.String(rangeOf(o))
	}
	if o.IfMatch != "" {
		in.IfMatch = &o.IfMatch
	}
	// By the header alone: told by the input, the client would sum up the body too.
	out, err := b.client.GetObject(ctx, in, s3.WithAPIOptions(smithyhttp.SetHeaderValue("x-amz-checksum-mode", "ENABLED")))
	if err != nil {
		return nil, s3Error("open", key, err)
	}
	object := &Object{
		Attributes: Attributes{
			Key: key, Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified),
			ETag: quoted(aws.ToString(out.ETag)), ContentType: aws.ToString(out.ContentType),
		},
		Body: out.Body, Length: aws.ToInt64(out.ContentLength),
	}
	if out.ContentLength == nil {
		object.Size, object.Length = -1, -1
	}
	if raw, ok := middleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response); ok {
		object.Checksums = checksumsOf(raw.Header, o.whole())
	}
	if err := object.placed(aws.ToString(out.ContentRange), o); err != nil {
		out.Body.Close()
		return nil, &Error{Op: "open", Key: key, Err: err}
	}
	return object, nil
}

// placed reads where in the object the body lies, and holds it to what was asked for.
func (o *Object) placed(contentRange string, asked ReadOptions) error {
	if asked.IfMatch != "" && o.ETag != asked.IfMatch {
		return ErrChanged // by a server that does not know If-Match
	}
	if asked.whole() {
		return nil
	}
	if contentRange == "" {
		return errors.New("the server does not give parts of objects")
	}
	var first, last, size int64
	if n, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &first, &last, &size); err != nil || n != 3 || first != asked.Offset || last < first || size <= last {
		return fmt.Errorf("the server gave %.100q", contentRange)
	}
	o.Offset, o.Length, o.Size = first, last-first+1, size
	return nil
}

func rangeOf(o ReadOptions) string {
	if o.Length <= 0 {
		return fmt.Sprintf("bytes=%d-", o.Offset)
	}
	return fmt.Sprintf("bytes=%d-%d", o.Offset, o.Offset+o.Length-1)
}

// checksumsOf reads those of the whole object. Checksums of checksums, which objects
// have that were sent in parts, end with the number of parts and are left out.
func checksumsOf(h http.Header, whole bool) map[string][]byte {
	sums := map[string][]byte{}
	composite := strings.EqualFold(h.Get("x-amz-checksum-type"), "COMPOSITE")
	for field, name := range map[string]string{
		"x-amz-checksum-sha256": SHA256, "x-amz-checksum-sha1": SHA1, "x-amz-checksum-crc32": CRC32,
		"x-amz-checksum-crc32c": CRC32C, "x-amz-checksum-crc64nvme": CRC64,
	} {
		v := h.Get(field)
		if v == "" || composite || strings.Contains(v, "-") {
			continue
		}
		if sum, err := base64.StdEncoding.DecodeString(v); err == nil {
			sums[name] = sum
		}
	}
	if v := h.Get("Content-MD5"); v != "" && whole {
		if sum, err := base64.StdEncoding.DecodeString(v); err == nil {
			sums[MD5] = sum
		}
	}
	return sums
}

// Stat implements Bucket.
func (b *s3Bucket) Stat(ctx context.Context, key string) (Attributes, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return Attributes{}, s3Error("stat", key, err)
	}
	return Attributes{
		Key: key, Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified),
		ETag: quoted(aws.ToString(out.ETag)), ContentType: aws.ToString(out.ContentType),
	}, nil
}

// Delete implements Bucket.
func (b *s3Bucket) Delete(ctx context.Context, key string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
	if err == nil {
		return nil
	}
	return ignoreNotFound(s3Error("delete", key, err))
}

// ignoreNotFound is for what is to be gone.
func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// quoted is an ETag as HTTP writes it, which some servers leave to the client.
func quoted(etag string) string {
	if etag == "" || strings.HasSuffix(etag, `"`) {
		return etag
	}
	return `"` + etag + `"`
}

// s3Error reads an error of the client, whose own text holds more than people want.
func s3Error(op, key string, err error) error {
	e := &Error{Op: op, Key: key, Err: err}
	var answered *smithyhttp.ResponseError
	if errors.As(err, &answered) && answered.Response != nil {
		e.Status, e.Header = answered.HTTPStatusCode(), answered.Response.Header
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = api.ErrorCode()
		e.Err = errors.New(firstLine(api.ErrorMessage()))
	}
	if e.Code == "PermanentRedirect" || e.Status == http.StatusMovedPermanently {
		if region := e.Header.Get("x-amz-bucket-region"); region != "" {
			e.Err = fmt.Errorf("%w: its region is %s", ErrMoved, region)
			return e
		}
	}
	if kind := meaning(e.Status, e.Code); kind != nil {
		e.Err = kind
	}
	if op == "list" && e.Status == http.StatusOK && e.Code == "" {
		e.Err = ErrNotListing // it cannot be read
	}
	return e
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "")
	}
	if s == "" {
		return "refused"
	}
	return s
}
