package bucket

import "context"

// Exchange is a request that a Put is about to make.
type Exchange struct {
	Method string
	// Size is how many bytes of the object it sends.
	Size int64
}

// exchange makes a request of a Put: by WriteOptions.Exchange, where there is one.
func (o *WriteOptions) exchange(ctx context.Context, x Exchange, do func(context.Context) error) error {
	if o.Exchange == nil {
		return do(ctx)
	}
	return o.Exchange(ctx, x, do)
}
