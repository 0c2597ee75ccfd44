package config

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/query"
)

// Folders are how folders of this machine are looked at, where Options asks for it.
type Folders struct {
	Stat func(path string) (fs.FileInfo, error)
	// MayWrite tells why nothing can be written to a folder that is there.
	MayWrite func(dir string) error
}

// ThisMachine looks at the folders that there are.
func ThisMachine() *Folders { return &Folders{Stat: os.Stat, MayWrite: mayWrite} }

// checkPlaces looks whether the folders that the config names are there, or can be made.
// It is asked for by who checks a config before its run, and by nobody else: a daemon
// takes a config whose disk is not there yet.
func (l *loader) checkPlaces(c *Config, f *Folders) {
	look := folderCheck{l, f}
	for i := range c.Connections {
		k := &c.Connections[i]
		place, err := bucket.Parse(k.URL)
		if !k.IsBucket() {
			look.database(k)
		}
		if !k.IsBucket() || err != nil || place.Scheme != bucket.Folder {
			continue
		}
		at, key := l.bucketPlace(c, k)
		if !at.broken && look.isThere(at, key, place.Name) && c.Downloads.bucket == k.Name && c.Downloading() {
			look.canBeWritten(at, key, place.Name)
		}
	}
	if d := &c.Downloads; d.bucket == "" && d.To != "" && c.Downloading() {
		look.canBeMade(l.at("downloads", "to"), "downloads.to", d.To)
	}
	look.sums(c.Downloads.Sums)
	for i := range c.Output {
		dests := destinations(c.Output[i].Sink)
		for _, key := range slices.Sorted(maps.Keys(dests)) {
			dest, _, _ := strings.Cut(dests[key], "{")
			if n := l.sinkNode(i, key); n != nil && filepath.IsAbs(dest) && !strings.HasPrefix(dest, "/dev/") {
				look.canBeMade(n, "output."+strconv.Itoa(i)+"."+l.sinks[i].key, filepath.Dir(dest+"x"))
			}
		}
	}
	if n := l.at("state"); l.given("state") && filepath.IsAbs(c.State) {
		look.canBeMade(n, "state", c.State)
	}
	if n := l.at("fetch", "cache", "dir"); l.given("fetch", "cache") && c.Fetch.Cache != nil && filepath.IsAbs(c.Fetch.Cache.Dir) {
		look.canBeMade(n, "fetch.cache", c.Fetch.Cache.Dir)
	}
}

// bucketPlace is where a folder is named as a bucket.
func (l *loader) bucketPlace(c *Config, k *Connection) (at *node, key string) {
	if l.given("connections", k.Name) {
		return l.at("connections", k.Name, "url"), "connections." + k.Name + ".url"
	}
	for i := range c.Seeds {
		if n := l.item(i, "seeds"); c.Seeds[i].connection == k.Name && n != nil {
			return n.below([]string{"bucket"}), "seeds.bucket"
		}
	}
	return l.at("downloads", "to"), "downloads.to"
}

type folderCheck struct {
	*loader
	folders *Folders
}

// isThere wants a folder that is there.
func (k *folderCheck) isThere(n *node, key, dir string) bool {
	info, err := k.folders.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.foreign(n.place, "make it, or see that its name is right", key+": there is no folder "+dir)
	case err != nil:
		k.foreign(n.place, "", key+": cannot read the folder "+dir+": "+cause(err))
	case !info.IsDir():
		k.foreign(n.place, "name a folder", key+": "+dir+" is no folder")
	default:
		return true
	}
	return false
}

// database wants the file of a connection to SQLite, which is opened to be read.
func (k *folderCheck) database(c *Connection) {
	n := k.at("connections", c.Name, "url")
	if kind, err := query.DriverOf(c.URL); n.broken || len(n.lacks) > 0 || err != nil || kind != query.SQLite {
		return
	}
	path, err := query.SQLitePath(c.URL)
	if err != nil {
		return
	}
	key := "connections." + c.Name + ".url"
	switch info, err := k.folders.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		k.foreign(n.place, "see that its name is right: it is only read", key+": there is no file "+path)
	case err != nil:
		k.foreign(n.place, "", key+": cannot look at "+path+": "+cause(err))
	case info.IsDir():
		k.foreign(n.place, "name a file", key+": "+path+" is a folder")
	}
}

// sums wants a file of sums that can be used. One on the web is not asked for.
func (k *folderCheck) sums(path string) {
	if path == "" || strings.Contains(path, "://") {
		return
	}
	n, key := k.at("downloads", "sha256sums"), "downloads.sha256sums: "
	if n.broken || len(n.lacks) > 0 {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		k.foreign(n.place, "", key+"cannot read "+path+": "+cause(err))
		return
	}
	defer f.Close()
	if _, err := download.ReadSums(io.LimitReader(f, download.MaxSumsFile)); err != nil {
		k.foreign(n.place, "lines are those of sha256sum", key+path+": "+err.Error())
	}
}

// canBeMade wants a folder, or the nearest above it that is there, to be one that can be
// written to.
func (k *folderCheck) canBeMade(n *node, key, dir string) {
	if n.broken || len(n.lacks) > 0 {
		return
	}
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		info, err := k.folders.Stat(at)
		switch {
		case err == nil && info.IsDir():
			k.canBeWritten(n, key, at)
			return
		case err == nil:
			k.foreign(n.place, "name another place", key+": "+at+" is no folder")
			return
		case errors.Is(err, fs.ErrPermission):
			k.foreign(n.place, "", key+": cannot look at "+at+": "+cause(err))
			return
		}
		if filepath.Dir(at) == at {
			return
		}
	}
}

func (k *folderCheck) canBeWritten(n *node, key, dir string) {
	if err := k.folders.MayWrite(dir); err != nil {
		k.foreign(n.place, "allow it to the user that amble runs as, or name another place", key+": nothing can be written to "+dir+": "+err.Error())
	}
}
