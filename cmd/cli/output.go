package cli

import (
	"encoding/json"
	"fmt"
	"io"
)

// PrintJSON writes a value as one line of JSON.
func PrintJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Teller tells a person on w what is being done meanwhile, a line at a time.
func Teller(w io.Writer) func(format string, args ...any) {
	return func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
}
