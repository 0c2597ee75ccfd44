package frontier

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fileKind tells the files of the store apart by their names.
type fileKind int

const (
	otherFile fileKind = iota
	tableFile
	logFile
	manifestFile
	optionsFile
	markerFile
	storeLock
	passingFile // left by a process that died while it made a file
)

func (k fileKind) String() string {
	return [...]string{"other", "tables", "logs", "manifest", "options", "markers", "lock", "temporary"}[k]
}

func kindOf(name string) fileKind {
	stem, ext, dotted := strings.Cut(name, ".")
	switch {
	case name == lockFile:
		return storeLock
	case dotted && stem == "marker" && (strings.HasPrefix(ext, "manifest.") || strings.HasPrefix(ext, "format-version.")):
		return markerFile
	case !dotted && isNumber(strings.TrimPrefix(name, "MANIFEST-")):
		return manifestFile
	case !dotted && isNumber(strings.TrimPrefix(name, "OPTIONS-")):
		return optionsFile
	case strings.HasSuffix(ext, "dbtmp") || strings.HasPrefix(name, "temporary."):
		return passingFile
	case isNumber(stem) && ext == "sst":
		return tableFile
	case isNumber(stem) && ext == "log":
		return logFile
	}
	return otherFile
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// lostManifest reports a store whose data is there and whose table of contents
// is not: Pebble would take it for an empty folder, and empty it.
func lostManifest(fsys vfs.FS, dir string) bool {
	names, err := fsys.List(dir)
	if err != nil {
		return false // a store that is not there yet
	}
	data := false
	for _, name := range names {
		switch kindOf(name) {
		case tableFile:
			data = true
		case logFile:
			info, err := fsys.Stat(fsys.PathJoin(dir, name))
			data = data || err == nil && info.Size() > 0
		case markerFile:
			if strings.HasPrefix(name, "marker.manifest.") {
				return false
			}
		}
	}
	return data
}
