package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/download"
)

// Downloads is where files go, and how they are fetched.
type Downloads struct {
	To        string        `yaml:"to,scalar" default:"files" doc:"A folder, relative to the config, or a bucket: a connection, or file:///folder."`
	Name      string        `yaml:"name" default:"{host}/{path}" doc:"The name of a file below it: {host}, {path} ({dir}/{name}), {name} ({stem}{ext}), {id} (of the URL) and {sha256}, also the first characters of one, as in {sha256:2}. Of an object {path} is its key behind the seed's prefix."`
	Type      string        `yaml:"type" default:"file" doc:"The record type of the manifest, which has a record for each file."`
	MaxSize   Size          `yaml:"max_size" default:"10GiB" min:"1B" max:"50TiB" doc:"Largest file; a larger one is an outcome, never cut."`
	PartsFrom Size          `yaml:"parts_from" default:"256MiB" min:"0B" max:"50TiB" doc:"The size from which a file is fetched in parts, where its server gives ranges of one version; 0: never."`
	PartSize  Size          `yaml:"part_size" default:"64MiB" min:"1MiB" max:"5GiB" doc:"Bytes of a part. Each is a request: as many run at a time as the host's concurrency lets."`
	MinFree   Size          `yaml:"min_free" default:"1GiB" min:"0B" max:"50TiB" doc:"Room that is left on the disk: what would take it stops the run, which goes on when there is more."`
	Timeout   time.Duration `yaml:"timeout" default:"1h" min:"1s" max:"168h" doc:"The longest that one file, or one part, may take; the next attempt goes on where it ended."`
	Existing  string        `yaml:"existing" default:"update" enum:"update,overwrite" doc:"What is done about a file of an earlier run: update fetches it when its size or time differ from what the server has, overwrite always."`
	Dedup     bool          `yaml:"dedup" default:"false" doc:"Keeps files of the same content once: the record of another names the first."`
	SHA256    bool          `yaml:"sha256" default:"true" doc:"Whether a file's record has its SHA-256. Without it a file costs less of a processor, and the sums that its server states are compared all the same."`
	Sums      string        `yaml:"sha256sums,path" doc:"A file as sha256sum writes it, whose sums the files have to have; one that it does not list is fetched, and told."`

	template *download.Template
	bucket   string // the connection that files go to
}

// Template makes the names of files.
func (d *Downloads) Template() *download.Template { return d.template }

// ToBucket is the connection that files go to, "" where they go to a folder.
func (d *Downloads) ToBucket() string { return d.bucket }

// IsBucket reports whether the connection is a bucket, and no database.
func (k *Connection) IsBucket() bool { return bucket.IsURL(k.URL) }

// BucketOptions are those to open a connection with.
func (k *Connection) BucketOptions() bucket.Options {
	return bucket.Options{
		URL: k.URL, Endpoint: k.Endpoint, Region: k.Region, PathStyle: k.PathStyle, AccessKey: k.AccessKey, SecretKey: k.SecretKey,
		SessionToken: k.SessionToken, Credentials: k.Credentials, Anonymous: k.Anonymous, Connections: k.Concurrency,
	}
}

// HasBuckets reports whether a connection is a bucket.
func (c *Config) HasBuckets() bool {
	return slices.ContainsFunc(c.Connections, func(k Connection) bool { return k.IsBucket() })
}

// Listings are those of the seeds that are buckets.
func (c *Config) Listings() (all []download.Listing) {
	for i := range c.Seeds {
		if c.Seeds[i].Bucket != "" {
			all = append(all, *c.Seeds[i].listing())
		}
	}
	return all
}

// Downloading reports whether the crawl keeps files.
func (c *Config) Downloading() bool {
	return slices.ContainsFunc(c.Seeds, func(s Seed) bool { return s.Bucket != "" || s.Download }) ||
		slices.ContainsFunc(c.Links.Rules, func(r LinkRule) bool { return r.Download }) || c.downloadFields
}

// namesFiles is an extractor with fields whose URLs are downloaded.
type namesFiles interface{ NamesFiles() bool }

// checkBucketConnection looks at a connection that is a bucket.
func (l *loader) checkBucketConnection(k *Connection) {
	place, err := bucket.Parse(k.URL)
	path := "connections." + k.Name
	at := l.at("connections", k.Name)
	if e := at.get("url"); at.kind == mappingKind && e != nil {
		at = e.value
	}
	if err != nil {
		l.errorf(at.place, "", "%s.url: %v", path, err)
		return
	}
	if place.Scheme == bucket.Folder {
		if !filepath.IsAbs(place.Name) {
			k.URL = "file://" + filepath.ToSlash(filepath.Join(l.dir, place.Name))
		}
		return
	}
	for key, v := range map[string]string{"secret_key": k.SecretKey, "session_token": k.SessionToken, "credentials": k.Credentials} {
		if n := l.at("connections", k.Name, key); v != "" && l.given("connections", k.Name, key) && n.kind == textKind && !n.secret() {
			l.errorf(n.place, "write ${NAME} and set that variable", "%s.%s: a secret stands in the file", path, key)
		}
	}
	if place.Scheme == bucket.S3 {
		switch keys := k.AccessKey != "" || k.SecretKey != ""; {
		case k.Anonymous && keys:
			l.errorf(l.keyPlace("connections", k.Name, "anonymous"), "remove it, or the keys", "%s is anonymous, and yet has keys", path)
		case l.at("connections", k.Name).lacking(): // which was told
		case !k.Anonymous && (k.AccessKey == "" || k.SecretKey == ""):
			l.errorf(at.place, "give access_key and secret_key, or anonymous: true for a public bucket", "%s has no credentials", path)
		}
	}
}

// implicitBucket is the connection for a bucket that a seed or downloads.to names by its
// URL: a folder, or a bucket that needs no credentials.
func (c *Config) implicitBucket(l *loader, address string) (string, error) {
	place, err := bucket.Parse(address)
	if err != nil {
		return "", err
	}
	if place.Scheme == bucket.Folder && !filepath.IsAbs(place.Name) {
		address = "file://" + filepath.ToSlash(filepath.Join(l.dir, place.Name))
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(c.Connections, func(k Connection) bool { return k.Name == name && k.URL != address })
	}
	name := place.Name
	if place.Scheme == bucket.Folder || !queryName.MatchString(name) || taken(name) {
		name = fmt.Sprintf("%s-%08x", place.Scheme, uint32(xxh3.HashString(address)))
	}
	if !slices.ContainsFunc(c.Connections, func(k Connection) bool { return k.Name == name }) {
		c.Connections = append(c.Connections, Connection{
			Name: name, URL: address, Anonymous: place.Scheme != bucket.Folder, Concurrency: 4, Timeout: 30 * time.Second, GiveUp: 15 * time.Minute,
		})
	}
	return name, nil
}

// bucketNamed finds the connection that a seed or downloads.to names.
func (c *Config) bucketNamed(l *loader, name string, n *node, path string) string {
	if bucket.IsURL(name) {
		found, err := c.implicitBucket(l, name)
		if err != nil {
			l.errorf(n.place, "", "%s: %v", path, err)
		}
		return found
	}
	var known []string
	for _, k := range c.Connections {
		switch {
		case k.IsBucket():
			known = append(known, k.Name)
		case k.Name == name:
			l.errorf(n.place, "", "%s: the connection %s is a database", path, name)
			return ""
		}
	}
	if !slices.Contains(known, name) {
		l.unknownName(n.place, path+": there is no bucket "+short(name)+" among the connections", name, known)
		return ""
	}
	return name
}

// checkDownloads looks at where files go.
func (l *loader) checkDownloads(c *Config) {
	d := &c.Downloads
	c.downloadFields = slices.ContainsFunc(c.Extract, func(r Rule) bool {
		f, ok := r.Extractor.(namesFiles)
		return ok && f.NamesFiles()
	})
	if n := l.at("downloads", "to"); d.To == "" && l.given("downloads", "to") {
		l.errorf(n.place, "", "downloads.to is empty")
	} else if isBucket := slices.ContainsFunc(c.Connections, func(k Connection) bool { return k.Name == d.To }); isBucket || bucket.IsURL(d.To) {
		d.bucket = c.bucketNamed(l, d.To, n, "downloads.to")
	} else if strings.Contains(d.To, "://") {
		l.errorf(n.place, "name a connection, or a folder", "downloads.to: not a place for files; found %s", n)
	} else {
		d.To = l.resolvePath(d.To)
	}
	var err error
	if d.template, err = download.ParseTemplate(d.Name); err != nil {
		l.errorf(l.at("downloads", "name").place, "", "downloads.name: %v", err)
	}
	if d.template != nil && !d.SHA256 && (d.Dedup || d.template.NeedsSum()) {
		l.errorf(l.keyPlace("downloads", "sha256"), "remove it", "downloads.sha256 is false, and dedup or a name needs the sum")
	}
	if why := badType(d.Type); why != "" {
		l.errorf(l.at("downloads", "type").place, "use letters, digits, - and _", "downloads.type: %s", why)
	}
	if slices.ContainsFunc(c.Extract, func(r Rule) bool { return r.Type == d.Type }) && c.Downloading() {
		l.errorf(l.at("downloads", "type").place, "give downloads.type another name", "the record type %s is that of the manifest of files, and of extract", d.Type)
	}
	if l.given("downloads") && !c.Downloading() {
		l.warnf(l.keyPlace("downloads"), "name a bucket in seeds, or say download: true of a link rule, a field or a seed", "downloads: nothing is downloaded")
	}
}

// checkBucketSeed looks at a seed that is a bucket, and for keys that belong to one.
func (k *seedCheck) checkBucketSeed(c *Config, s *Seed, n *node) {
	if s.Download && s.URL == "" && s.File == "" {
		k.errorf(n.below([]string{"download"}).place, "", "seeds: download goes with url or file")
	}
	if s.Download && (!s.Rows.empty() || s.Query != "") {
		k.errorf(n.below([]string{"download"}).place, "", "seeds: rows and queries give no files")
	}
	if s.Bucket == "" {
		for _, key := range []string{"prefix", "include", "exclude"} {
			if e := n.get(key); e != nil {
				k.errorf(e.place, "name the bucket", "seeds: %s belongs to a bucket, and there is none", key)
			}
		}
		return
	}
	s.connection = c.bucketNamed(k.loader, s.Bucket, n.below([]string{"bucket"}), "seeds.bucket")
	for key, list := range map[string][]string{"include": s.Include, "exclude": s.Exclude} {
		for i, pattern := range list {
			at := n.below([]string{key})
			if at.kind == listKind {
				at = k.listed(at, i)
			}
			if err := download.CheckGlob(pattern); err != nil && !at.broken {
				k.foreignValue(at, "seeds."+key, bare(err), "")
			}
		}
	}
	if _, err := s.listing().URL(); err != nil && s.connection != "" {
		k.errorf(n.place, "", "seeds: the listing of %s: %v", short(s.Bucket), err)
	}
}

func (s *Seed) listing() *download.Listing {
	return &download.Listing{Connection: s.connection, Prefix: s.Prefix, Include: s.Include, Exclude: s.Exclude}
}

// kind is what a seed's URL is asked for.
func (s *Seed) kind() crawler.Kind {
	if s.Download {
		return crawler.KindFile
	}
	return crawler.KindPage
}
