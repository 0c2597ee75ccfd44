package bucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	// wholePut is the size to which an object is sent as a whole.
	wholePut = 64 << 20
	// leastPart and mostParts are bounds of S3, with room to spare.
	leastPart = 16 << 20
	mostParts = 9000
	// abortTimeout bounds the taking back of an upload whose time is over.
	abortTimeout = 30 * time.Second
)

// Put implements Bucket. A large object is sent in parts, one after the other, and is
// not there before the last.
func (b *s3Bucket) Put(ctx context.Context, key string, body *io.SectionReader, o WriteOptions) error {
	if body.Size() > wholePut {
		return b.putParts(ctx, key, body, o)
	}
	in := &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: body, ContentLength: aws.Int64(body.Size())}
	if o.ContentType != "" {
		in.ContentType = &o.ContentType
	}
	return o.exchange(ctx, Exchange{http.MethodPut, body.Size()}, func(ctx context.Context) error {
		if _, err := b.client.PutObject(ctx, in); err != nil {
			return s3Error("put", key, err)
		}
		return nil
	})
}

func (b *s3Bucket) putParts(ctx context.Context, key string, body *io.SectionReader, o WriteOptions) error {
	in := &s3.CreateMultipartUploadInput{Bucket: &b.name, Key: &key}
	if o.ContentType != "" {
		in.ContentType = &o.ContentType
	}
	var upload *string
	err := o.exchange(ctx, Exchange{Method: http.MethodPost}, func(ctx context.Context) error {
		out, err := b.client.CreateMultipartUpload(ctx, in)
		if err != nil {
			return s3Error("put", key, err)
		}
		upload = out.UploadId
		return nil
	})
	if err != nil {
		return err
	}
	parts, err := b.sendParts(ctx, key, upload, body, &o)
	if err == nil {
		err = o.exchange(ctx, Exchange{Method: http.MethodPost}, func(ctx context.Context) error {
			return b.completeParts(ctx, key, upload, parts)
		})
	}
	if err == nil {
		return nil
	}
	// Parts of an upload that is not taken back cost their owner money.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	return errors.Join(err, o.exchange(ctx, Exchange{Method: http.MethodDelete}, func(ctx context.Context) error {
		_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: &key, UploadId: upload})
		if err == nil {
			return nil
		}
		return ignoreNotFound(s3Error("take back the parts of", key, err))
	}))
}

func (b *s3Bucket) completeParts(ctx context.Context, key string, upload *string, parts []types.CompletedPart) error {
	_, err := b.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &b.name, Key: &key, UploadId: upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		return s3Error("put", key, err)
	}
	return nil
}

func (b *s3Bucket) sendParts(ctx context.Context, key string, upload *string, body *io.SectionReader, o *WriteOptions) ([]types.CompletedPart, error) {
	size := max(leastPart, (body.Size()+mostParts-1)/mostParts)
	var parts []types.CompletedPart
	for at := int64(0); at < body.Size(); at += size {
		part := io.NewSectionReader(body, at, min(size, body.Size()-at))
		number := aws.Int32(int32(len(parts) + 1))
		err := o.exchange(ctx, Exchange{http.MethodPut, part.Size()}, func(ctx context.Context) error {
			out, err := b.client.UploadPart(ctx, &s3.UploadPartInput{
				Bucket: &b.name, Key: &key, UploadId: upload, PartNumber: number, Body: part, ContentLength: aws.Int64(part.Size()),
			})
			if err != nil {
				return s3Error("put", key, err)
			}
			parts = append(parts, types.CompletedPart{ETag: out.ETag, PartNumber: number})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return parts, nil
}
