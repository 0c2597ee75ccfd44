//go:build !full

package bucket

import (
	"context"
	"fmt"
)

// openOther opens what is not in this build.
func openOther(_ context.Context, place Place, _ Options) (Bucket, error) {
	return nil, fmt.Errorf("%s://: %w", place.Scheme, ErrNotBuilt)
}
