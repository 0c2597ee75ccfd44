package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

const ownModule = "github.com/amblecrawl/amble"

// noVersion stands for the version of a module that is taken from a folder.
const noVersion = "v0.0.0-00010101000000-000000000000"

// part is a package to compile in and where its module comes from: a folder, or
// a version that the Go tool finds.
type part struct {
	pkg       string
	module    string // with a folder
	folder    string // absolute
	version   string // without a folder
	goVersion string // with a folder: as in its go.mod
	sums      string // with a folder: its go.sum
}

func packagesOf(parts []part) []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.pkg
	}
	return names
}

// pluginParts reads the values of --with.
func pluginParts(with []string) ([]part, error) {
	var parts []part
	for _, w := range with {
		p, err := pluginPart(w)
		if err != nil {
			return nil, fmt.Errorf("--with %s: %w", w, err)
		}
		if slices.Contains(packagesOf(parts), p.pkg) {
			return nil, fmt.Errorf("--with %s: %s is named twice", w, p.pkg)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func pluginPart(with string) (part, error) {
	name, folder, local := strings.Cut(with, "=")
	name, version, versioned := strings.Cut(name, "@")
	switch {
	case module.CheckImportPath(name) != nil:
		return part{}, fmt.Errorf("%q is not the path of a Go module, such as example.com/wordcount", name)
	case local && folder == "":
		return part{}, errors.New("no folder behind =")
	case versioned && version == "":
		return part{}, errors.New("no version behind @")
	case name == ownModule || strings.HasPrefix(name, ownModule+"/"):
		return part{}, errors.New("amble's own packages are compiled in already")
	case !local && !versioned:
		return part{pkg: name, version: "latest"}, nil
	case !local:
		return part{pkg: name, version: version}, nil
	}
	p, err := partIn(folder)
	if err != nil {
		return part{}, err
	}
	if name != p.module && !strings.HasPrefix(name, p.module+"/") {
		return part{}, fmt.Errorf("%s holds the module %s", filepath.Join(folder, "go.mod"), p.module)
	}
	p.pkg = name
	return p, nil
}

// partIn reads what a module's folder says of itself.
func partIn(folder string) (part, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return part{}, err
	}
	path := filepath.Join(folder, "go.mod")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return part{}, fmt.Errorf("%s is not there: run go mod init in the plugin's folder", path)
	}
	if err != nil {
		return part{}, err
	}
	file, err := modfile.ParseLax(path, text, nil)
	if err != nil {
		return part{}, err
	}
	if file.Module == nil || file.Go == nil {
		return part{}, fmt.Errorf("%s names no module or no Go version: run go mod init and go mod tidy in that folder", path)
	}
	sums, err := os.ReadFile(filepath.Join(folder, "go.sum"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return part{}, err
	}
	return part{module: file.Module.Mod.Path, folder: folder, goVersion: file.Go.Version, sums: string(sums)}, nil
}

// ownSource is where amble itself comes from: the folder that is named, the one
// this binary was compiled in, or the version it was released as.
func ownSource(named string) (part, error) {
	if named != "" {
		p, err := partIn(named)
		if err == nil && p.module != ownModule {
			err = fmt.Errorf("%s holds the module %s, not amble", named, p.module)
		}
		if err != nil {
			err = fmt.Errorf("--source: %w", err)
		}
		p.pkg = ownModule + "/cmd"
		return p, err
	}
	// Unless compiled with -trimpath, the binary knows where its source was.
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		if p, err := partIn(filepath.Dir(filepath.Dir(filepath.Dir(file)))); err == nil && p.module == ownModule {
			p.pkg = ownModule + "/cmd"
			return p, nil
		}
	}
	if v := releasedVersion(); v != "" {
		return part{pkg: ownModule + "/cmd", version: v, goVersion: strings.TrimPrefix(runtime.Version(), "go")}, nil
	}
	return part{}, errors.New("this binary is not a release, and the source it was compiled from is gone: name a checkout of amble with --source")
}

// releasedVersion is the version of amble in this binary, or "".
func releasedVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == ownModule && m.Replace == nil && module.Check(m.Path, m.Version) == nil &&
			!strings.Contains(m.Version, "+") && m.Version != noVersion {
			return m.Version
		}
	}
	return ""
}
