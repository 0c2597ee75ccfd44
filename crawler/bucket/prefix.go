package bucket

import (
	"context"
	"io"
	"strings"
)

// within gives the part of a bucket whose keys begin with a prefix, without it.
func within(b Bucket, prefix string) Bucket {
	if prefix == "" {
		return b
	}
	if !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return &prefixed{b, prefix}
}

type prefixed struct {
	Bucket
	prefix string
}

func (p *prefixed) List(ctx context.Context, o ListOptions) (Page, error) {
	o.Prefix = p.prefix + o.Prefix
	page, err := p.Bucket.List(ctx, o)
	for i := range page.Objects {
		page.Objects[i].Key = strings.TrimPrefix(page.Objects[i].Key, p.prefix)
	}
	return page, err
}

func (p *prefixed) Open(ctx context.Context, key string, o ReadOptions) (*Object, error) {
	object, err := p.Bucket.Open(ctx, p.prefix+key, o)
	if err == nil {
		object.Key = key
	}
	return object, err
}

func (p *prefixed) Stat(ctx context.Context, key string) (Attributes, error) {
	a, err := p.Bucket.Stat(ctx, p.prefix+key)
	a.Key = key
	return a, err
}

func (p *prefixed) Put(ctx context.Context, key string, body *io.SectionReader, o WriteOptions) error {
	return p.Bucket.Put(ctx, p.prefix+key, body, o)
}

func (p *prefixed) Delete(ctx context.Context, key string) error {
	return p.Bucket.Delete(ctx, p.prefix+key)
}
