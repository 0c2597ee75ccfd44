package sink

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/amblecrawl/amble/crawler"
)

// OnDemand lets the sink make a file only when the first record comes for it,
// rather than at Open. A file that is there already, from an earlier run or from
// a process that died, is opened and emptied as ever, so that exactly-once holds
// as it does otherwise. Call it before Open.
func (j *JSONL) OnDemand() { j.onDemand = true }

// present leaves the types whose file is there, or cannot be looked for.
func present(d disk, path string, run crawler.RunInfo) []crawler.RecordType {
	if d == nil {
		d = realDisk{}
	}
	missing := func(name string) bool {
		if path == stdoutPath {
			return false
		}
		_, err := d.Stat(expand(path, run, name))
		return errors.Is(err, fs.ErrNotExist)
	}
	return slices.DeleteFunc(slices.Clone(run.Types), func(t crawler.RecordType) bool {
		return missing(cleanName(t.Name)) && missing(checked(cleanName(t.Name), t.Name))
	})
}
