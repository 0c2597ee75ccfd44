package cli

import (
	"io"

	"github.com/amblecrawl/amble/crawler/config"
)

// hider writes texts without what a config's seeds got from the environment.
type hider struct {
	to   io.Writer
	veil *config.Veil
}

// hiding is w where there is nothing to hide.
func hiding(w io.Writer, v *config.Veil) io.Writer {
	if h, ok := w.(*hider); ok { // of a config that was read again
		w = h.to
	}
	if v.Empty() {
		return w
	}
	return &hider{w, v}
}

// Beneath is the writer below one that hides, and how another is made to hide the
// same; hide is nil where w hides nothing.
func Beneath(w io.Writer) (bare io.Writer, hide func(io.Writer) io.Writer) {
	h, ok := w.(*hider)
	if !ok {
		return w, nil
	}
	return h.to, func(w io.Writer) io.Writer { return hiding(w, h.veil) }
}

func (h *hider) Write(p []byte) (int, error) {
	if _, err := io.WriteString(h.to, h.veil.Hide(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
