package bucket

import (
	"errors"
	"fmt"
	"net/http"
)

// The errors a caller acts on. Others wrap them with the place.
var (
	// ErrOptions means that the URL or another option cannot be used.
	ErrOptions = errors.New("not a bucket")
	// ErrNoKeys means that credentials are wanted; it wraps ErrOptions.
	ErrNoKeys = fmt.Errorf("%w", ErrOptions)
	// ErrNotBuilt means that this program was built without the service.
	ErrNotBuilt = errors.New("this program was built without it: build with -tags full")
	// ErrNoBucket and ErrNotFound mean that the bucket, or the object, is not there.
	ErrNoBucket = errors.New("there is no such bucket")
	ErrNotFound = errors.New("there is no such object")
	// ErrDenied means that the credentials do not permit it, or are wrong.
	ErrDenied = errors.New("not permitted")
	// ErrChanged means that the object is not the version that was asked for.
	ErrChanged = errors.New("the object has changed")
	// ErrRange means that the object ends before what was asked for.
	ErrRange = errors.New("the object is shorter")
	// ErrNotListing means that what answers is hardly a bucket: its answer is no listing.
	ErrNotListing = errors.New("the answer is not the listing of a bucket")
	// ErrMoved means that the bucket is in another region, or at another endpoint.
	ErrMoved = errors.New("the bucket is elsewhere")
)

// Error is a call that failed.
type Error struct {
	Op     string // "list", "open" and so on
	Key    string // "" where it is not that of one object
	Status int    // of the answer by HTTP, 0 where there was none
	Code   string // of the service, such as SlowDown
	Header http.Header
	Err    error // one of the sentinels above, or what kept the answer away
}

func (e *Error) Error() string {
	text := e.Op
	if e.Key != "" {
		text += fmt.Sprintf(" %.200q", e.Key)
	}
	if e.Code != "" {
		text += ": " + e.Code
	}
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	return fmt.Sprintf("%s: %v", text, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// meaning is the sentinel for a status and a service's code.
func meaning(status int, code string) error {
	switch {
	case code == "NoSuchBucket" || code == "ContainerNotFound":
		return ErrNoBucket
	case status == http.StatusNotFound || code == "NoSuchKey":
		return ErrNotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrDenied
	case status == http.StatusPreconditionFailed, status == http.StatusConflict:
		return ErrChanged
	case status == http.StatusRequestedRangeNotSatisfiable:
		return ErrRange
	case status >= 300 && status < 400:
		return ErrMoved
	}
	return nil
}
