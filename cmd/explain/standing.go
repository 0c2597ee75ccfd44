package explain

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// standingOf tells where a URL stands in the state.
func standingOf(k *crawl.Kept, u urls.URL, key urls.Key) string {
	err := k.Err
	if k.Snapshot != nil {
		var s crawler.Standing
		if s, err = k.Snapshot.Lookup(u.Origin(), key); err == nil {
			text := outcomeOf(s)
			if k.Snapshot.Busy {
				text += ", as of the last commit of the run at work"
			}
			return text
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "no run yet"
	}
	return fmt.Sprintf("cannot be read: %v", err)
}

// outcomeOf says what became of a URL.
func outcomeOf(s crawler.Standing) string {
	switch {
	case s.State == "unknown":
		return "not found yet by this run"
	case s.Class == "":
		return s.State
	}
	text := fmt.Sprintf("%s as %s", s.State, s.Class)
	if s.Status != 0 {
		text += fmt.Sprintf(" with status %d", s.Status)
	}
	text += " at attempt " + format.Count(int64(s.Attempt)+1)
	if s.Detail != "" {
		text += ": " + strings.TrimPrefix(s.Detail, string(s.Class)+": ")
	}
	return text
}
