//go:build full

package bucket

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	properties "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcerrors"
	"gocloud.dev/gcp"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

// other is a bucket of Google Cloud Storage or Azure, through the Go CDK.
type other struct {
	bucket *blob.Bucket
	// versionOf reads the version of what was opened or listed, "" where the service
	// tells of none.
	versionOf func(as func(any) bool) string
	http      *http.Client
}

func openOther(ctx context.Context, place Place, o Options) (Bucket, error) {
	b := &other{http: newHTTP(o.Connections)}
	var err error
	if place.Scheme == GCS {
		b.versionOf = generation
		b.bucket, err = openGCS(ctx, place, o, b.http)
	} else {
		b.versionOf = azureTag
		b.bucket, err = openAzure(ctx, place, o, b.http)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

func openGCS(ctx context.Context, place Place, o Options, base *http.Client) (*blob.Bucket, error) {
	var client *gcp.HTTPClient
	switch {
	case o.Anonymous == (o.Credentials != ""):
		return nil, fmt.Errorf("%w: credentials are wanted, or anonymous: true for a public bucket", ErrNoKeys)
	case o.Anonymous:
		client = gcp.NewAnonymousHTTPClient(base.Transport)
	default:
		found, err := google.CredentialsFromJSONWithType(ctx, []byte(o.Credentials), google.ServiceAccount, storage.ScopeReadWrite)
		if err != nil {
			return nil, fmt.Errorf("%w: the credentials are not those of a service account, as JSON", ErrOptions)
		}
		if client, err = gcp.NewHTTPClient(base.Transport, gcp.CredentialsTokenSource(found)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	var options []option.ClientOption
	if o.Endpoint != "" {
		options = append(options, option.WithEndpoint(o.Endpoint))
	}
	b, err := gcsblob.OpenBucket(ctx, client, place.Name, &gcsblob.Options{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	var inner *storage.Client
	if b.As(&inner) {
		inner.SetRetry(storage.WithPolicy(storage.RetryNever))
	}
	return b, nil
}

func openAzure(ctx context.Context, place Place, o Options, base *http.Client) (*blob.Bucket, error) {
	if o.AccessKey == "" || o.Anonymous == (o.SecretKey != "") {
		return nil, fmt.Errorf("%w: access_key, the name of the account, is wanted, and secret_key or anonymous: true", ErrOptions)
	}
	address := o.Endpoint
	if address == "" {
		address = "https://" + o.AccessKey + ".blob.core.windows.net"
	}
	address += "/" + place.Name
	options := &container.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: base, Retry: policy.RetryOptions{MaxRetries: -1}}}
	var client *container.Client
	var err error
	if o.Anonymous {
		client, err = container.NewClientWithNoCredential(address, options)
	} else {
		var key *azblob.SharedKeyCredential
		if key, err = azblob.NewSharedKeyCredential(o.AccessKey, o.SecretKey); err == nil {
			client, err = container.NewClientWithSharedKeyCredential(address, key, options)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the account, its key or the endpoint cannot be used", ErrOptions) // the error may hold the key
	}
	return azureblob.OpenBucket(ctx, client, nil)
}

func generation(as func(any) bool) string {
	var read *storage.Reader
	var listed storage.ObjectAttrs
	var n int64
	switch {
	case as(&read):
		n = read.Attrs.Generation
	case as(&listed):
		n = listed.Generation
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%q", fmt.Sprint(n))
}

func azureTag(as func(any) bool) string {
	var read azblob.DownloadStreamResponse
	var listed container.BlobItem
	var told properties.GetPropertiesResponse
	switch {
	case as(&read) && read.ETag != nil:
		return quoted(string(*read.ETag))
	case as(&listed) && listed.Properties != nil && listed.Properties.ETag != nil:
		return quoted(string(*listed.Properties.ETag))
	case as(&told) && told.ETag != nil:
		return quoted(string(*told.ETag))
	}
	return ""
}

// Close implements Bucket.
func (b *other) Close() error {
	b.http.CloseIdleConnections()
	return b.bucket.Close()
}

// List implements Bucket.
func (b *other) List(ctx context.Context, o ListOptions) (Page, error) {
	token := blob.FirstPageToken
	if o.After != "" {
		var err error
		if token, err = base64.RawURLEncoding.DecodeString(o.After); err != nil {
			return Page{}, &Error{Op: "list", Key: o.Prefix, Err: errors.New("not the token of a page")}
		}
	}
	listed, next, err := b.bucket.ListPage(ctx, token, limitOf(o), &blob.ListOptions{Prefix: o.Prefix})
	if err != nil {
		return Page{}, otherError("list", o.Prefix, err)
	}
	page := Page{Next: base64.RawURLEncoding.EncodeToString(next)}
	for _, l := range listed {
		a := Attributes{Key: l.Key, Size: l.Size, Modified: l.ModTime, ETag: b.versionOf(l.As)}
		if len(l.MD5) > 0 {
			a.Checksums = map[string][]byte{MD5: l.MD5}
		}
		page.Objects = append(page.Objects, a)
	}
	return page, nil
}

// Open implements Bucket.
func (b *other) Open(ctx context.Context, key string, o ReadOptions) (*Object, error) {
	length := o.Length
	if length <= 0 {
		length = -1
	}
	r, err := b.bucket.NewRangeReader(ctx, key, o.Offset, length, nil)
	if err != nil {
		return nil, otherError("open", key, err)
	}
	object := &Object{
		Attributes: Attributes{Key: key, Size: r.Size(), Modified: r.ModTime(), ContentType: r.ContentType(), ETag: b.versionOf(r.As)},
		Body:       r, Offset: o.Offset, Length: r.Size() - o.Offset,
	}
	if o.Length > 0 {
		object.Length = min(object.Length, o.Length)
	}
	switch {
	case o.IfMatch != "" && object.ETag != o.IfMatch:
		err = ErrChanged
	case object.Length < 0 || object.Length == 0 && o.Offset > 0:
		err = ErrRange
	}
	if err != nil {
		r.Close()
		return nil, &Error{Op: "open", Key: key, Err: err}
	}
	return object, nil
}

// Stat implements Bucket.
func (b *other) Stat(ctx context.Context, key string) (Attributes, error) {
	a, err := b.bucket.Attributes(ctx, key)
	if err != nil {
		return Attributes{}, otherError("stat", key, err)
	}
	out := Attributes{Key: key, Size: a.Size, Modified: a.ModTime, ContentType: a.ContentType, ETag: b.versionOf(a.As)}
	if len(a.MD5) > 0 {
		out.Checksums = map[string][]byte{MD5: a.MD5}
	}
	return out, nil
}

// Put implements Bucket. Its context is ended before the writer is closed where the
// body fails, for otherwise what came would be written as the whole.
func (b *other) Put(ctx context.Context, key string, body *io.SectionReader, o WriteOptions) error {
	return o.exchange(ctx, Exchange{http.MethodPut, body.Size()}, func(ctx context.Context) error { return b.put(ctx, key, body, o) })
}

func (b *other) put(ctx context.Context, key string, body *io.SectionReader, o WriteOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := b.bucket.NewWriter(ctx, key, &blob.WriterOptions{ContentType: o.ContentType})
	if err != nil {
		return otherError("put", key, err)
	}
	if _, err := io.Copy(w, body); err != nil {
		cancel()
		_ = w.Close() // it says no more than that it was ended
		return otherError("put", key, err)
	}
	if err := w.Close(); err != nil {
		return otherError("put", key, err)
	}
	return nil
}

// Delete implements Bucket.
func (b *other) Delete(ctx context.Context, key string) error {
	err := b.bucket.Delete(ctx, key)
	if err == nil || gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return otherError("delete", key, err)
}

func otherError(op, key string, err error) error {
	e := &Error{Op: op, Key: key, Err: err}
	var google *googleapi.Error
	var azure *azcore.ResponseError
	switch {
	case errors.As(err, &google):
		e.Status, e.Header, e.Err = google.Code, google.Header, errors.New(firstLine(google.Message))
	case errors.As(err, &azure):
		e.Status, e.Code, e.Err = azure.StatusCode, azure.ErrorCode, errors.New("refused")
		if azure.RawResponse != nil {
			e.Header = azure.RawResponse.Header
		}
	case gcerrors.Code(err) == gcerrors.NotFound:
		e.Status = http.StatusNotFound
	case gcerrors.Code(err) == gcerrors.PermissionDenied:
		e.Status = http.StatusForbidden
	}
	if kind := meaning(e.Status, e.Code); kind != nil {
		e.Err = kind
	}
	return e
}
