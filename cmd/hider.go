package cmd

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

func (h *hider) Write(p []byte) (int, error) {
	if _, err := io.WriteString(h.to, h.veil.Hide(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
