package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/sink/outbox"
)

func init() {
	crawler.Sinks.Register("blob", func() crawler.Sink {
		return &Blob{Records: 500_000, Timeout: 5 * time.Minute, Patience: 5 * time.Minute}
	})
}

// partBytes bounds a part, as its records are estimated.
const partBytes = 256 << 20

// Blob writes records to objects. It is not safe for concurrent use, as
// [crawler.Sink] says.
type Blob struct {
	URL          string        `yaml:"url,scalar" required:"true" doc:"The objects, as s3://bucket/key, gs://, azblob:// or file:///folder/key; in the key {type}, {run} and {date} stand for the record type, the run and its first day, {part} for the number of the part, which stands before the ending by default. The ending says the format: .jsonl, .jsonl.gz, .jsonl.zst or .parquet."`
	Endpoint     string        `yaml:"endpoint" doc:"The address of a server that speaks S3, such as https://minio.example:9000."`
	Region       string        `yaml:"region" default:"us-east-1" doc:"The bucket's region."`
	PathStyle    bool          `yaml:"path_style" default:"false" doc:"Writes the bucket's name into the path of URLs; always so where there is an endpoint."`
	AccessKey    string        `yaml:"access_key" doc:"The name of the key that requests are signed with; of Azure, the account."`
	SecretKey    string        `yaml:"secret_key" doc:"The key, as ${NAME}."`
	SessionToken string        `yaml:"session_token" doc:"Goes with keys that end, as ${NAME}."`
	Credentials  string        `yaml:"credentials" doc:"A Google service account's credentials as JSON, as ${NAME}."`
	Anonymous    bool          `yaml:"anonymous" default:"false" doc:"Writes without credentials, where a bucket lets everybody do so."`
	Records      int           `yaml:"records" default:"500000" min:"1" max:"100000000" doc:"How many records make a part full. It is full with 256 MiB of records in any case."`
	Every        time.Duration `yaml:"every" default:"0s" doc:"The age of its first record that makes a part full, so that readers see something while a long run goes on."`
	Timeout      time.Duration `yaml:"timeout" default:"5m" min:"1s" max:"8m" doc:"For one try to write a part."`
	Patience     time.Duration `yaml:"patience" default:"5m" max:"8m" doc:"How long a part is tried before the run stops, resumably."`

	box   *outbox.Outbox
	store *store
	clock outbox.Clock // nil: the system's
	guard exchange     // nil: requests are made at once
}

// exchange makes a request about an object, when it is let.
type exchange = func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error

// Service is the name of the bucket that is asked, "" for a folder.
func (b *Blob) Service() string {
	if place, err := bucket.Parse(b.URL); err == nil && place.Scheme != bucket.Folder {
		return place.Name
	}
	return ""
}

// Guard has each request made by exchange, which is given its object's key and calls do
// once, or returns an error that ends the try.
func (b *Blob) Guard(exchange func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error) {
	b.guard = exchange
}

// options are those of the bucket, without its prefix.
func (b *Blob) options(t target) bucket.Options {
	return bucket.Options{
		URL: t.bucket, Endpoint: b.Endpoint, Region: b.Region, PathStyle: b.PathStyle,
		AccessKey: b.AccessKey, SecretKey: b.SecretKey, SessionToken: b.SessionToken,
		Credentials: b.Credentials, Anonymous: b.Anonymous, Connections: 1, UserAgent: "amble",
	}
}

// target is what a URL names.
type target struct {
	scheme string
	bucket string // its URL
	key    string // the template
	format string // an ending of formats
}

// targetOf reads a URL. The error is for people.
func targetOf(address string) (t target, err error) {
	place, err := bucket.Parse(address)
	if err != nil {
		return t, err
	}
	t = target{scheme: place.Scheme, bucket: place.Scheme + "://" + place.Name, key: place.Prefix}
	if t.scheme == bucket.Folder {
		folder := place.Name
		if i := strings.IndexByte(folder, '{'); i >= 0 {
			folder = folder[:i] + "x"
		}
		folder = path.Dir(folder)
		if !filepath.IsAbs(folder) {
			return t, errors.New("a folder is named from the root, as in file:///srv/records/{type}.jsonl")
		}
		t.bucket, t.key = "file://"+folder, strings.TrimPrefix(strings.TrimPrefix(place.Name, folder), "/")
	}
	if t.key == "" || strings.HasSuffix(t.key, "/") {
		return t, errors.New("it names no object: write a key behind it, such as s3://bucket/{run}/{type}.jsonl.gz")
	}
	if !fs.ValidPath(t.key) {
		return t, errors.New("the key has empty parts, . or .. in it")
	}
	at := slices.IndexFunc(endings, func(ending string) bool { return strings.HasSuffix(t.key, ending) })
	if at < 0 {
		return t, fmt.Errorf("the ending of the key says the format: one of %s", strings.Join(endings, ", "))
	}
	t.format = endings[at]
	if err := sink.CheckParts(t.key); err != nil {
		if wrong, ok := errors.AsType[*crawler.ConfigError](err); ok {
			return t, errors.New(wrong.Msg)
		}
		return t, err
	}
	if !strings.Contains(t.key, "{part}") {
		t.key = strings.TrimSuffix(t.key, t.format) + "-{part}" + t.format
	}
	return t, nil
}

// Validate reports what is wrong with the settings, as *crawler.ConfigError.
func (b *Blob) Validate() error {
	t, err := targetOf(b.URL)
	if err == nil && t.scheme != bucket.Folder { // which may be made later
		var opened bucket.Bucket
		if opened, err = bucket.Open(context.Background(), b.options(t)); err == nil {
			err = opened.Close()
		}
	}
	if errors.Is(err, bucket.ErrNoKeys) {
		return &crawler.ConfigError{Path: []string{b.wanted(t.scheme)}, Msg: err.Error()}
	}
	if err != nil {
		return &crawler.ConfigError{Path: []string{"url"}, Msg: err.Error()}
	}
	return nil
}

// wanted is the first of the credentials that is not there.
func (b *Blob) wanted(scheme string) string {
	switch {
	case scheme == bucket.GCS:
		return "credentials"
	case b.AccessKey == "":
		return "access_key"
	}
	return "secret_key"
}

// Destination names the objects for the check that no two sinks write to the same.
func (b *Blob) Destination() (key, place string) {
	t, err := targetOf(b.URL)
	if err != nil {
		return "url", ""
	}
	return "url", strings.TrimSuffix(b.Endpoint, "/") + " " + t.bucket + "/" + t.key
}

// Secrets are the keys whose values belong into the environment.
func (*Blob) Secrets() []string { return []string{"secret_key", "session_token", "credentials"} }

// Open brings the objects to the position, and writes again what may not have arrived.
func (b *Blob) Open(ctx context.Context, run crawler.RunInfo, position []byte) error {
	if b.box.IsOpen() {
		return errors.New("the sink is open already")
	}
	if err := outbox.CheckPosition("blob", position); err != nil {
		return err
	}
	if b.clock == nil {
		b.clock = crawler.SystemClock{}
	}
	s, err := b.newStore(ctx, run)
	if err != nil {
		return fmt.Errorf("%w: %w", crawler.ErrStop, err)
	}
	box, err := outbox.Open(ctx, outbox.Options{
		Format: "blob", Stream: s.parts.Stream,
		Records: int64(b.Records), Bytes: partBytes, Age: b.Every,
		Begin: s.begin, Deliver: s.deliver, Now: b.clock.Now,
	}, run, position)
	if err != nil {
		_ = s.bucket.Close() // the error that matters is the one above
		return err
	}
	b.box, b.store = box, s
	return nil
}

// Write keeps records until they are committed and their part is full.
func (b *Blob) Write(ctx context.Context, records []crawler.Record) error {
	return b.box.Write(ctx, records)
}

// Flush makes the records durable here and returns the position.
func (b *Blob) Flush(ctx context.Context) ([]byte, error) { return b.box.Flush(ctx) }

// Deliver writes the parts that are full.
func (b *Blob) Deliver(ctx context.Context) error { return b.box.Deliver(ctx) }

// Seal makes every part full.
func (b *Blob) Seal() { b.box.Seal() }

// CheckPosition reports a position that is not this sink's.
func (b *Blob) CheckPosition(position []byte) error { return outbox.CheckPosition("blob", position) }

// Places lists the objects, the first few and the last of each type.
func (b *Blob) Places() []string {
	if b.box == nil {
		return nil
	}
	return b.box.Places(func(stream string, serial int64) string {
		return b.store.target.bucket + "/" + b.store.key(stream, serial)
	})
}

// Unlisted counts the objects that are not among Places.
func (b *Blob) Unlisted() int64 { return b.box.Unlisted() }

// Close gives connections and files back. Records that were not flushed are dropped.
func (b *Blob) Close() error {
	if !b.box.IsOpen() {
		return nil
	}
	return errors.Join(b.box.Close(), b.store.bucket.Close())
}
