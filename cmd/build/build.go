// Package build compiles an amble that has more extractors than the standard one: a main
// package of a few lines in a module of its own, which requires amble and the plugins'
// modules. It needs the Go toolchain and fetches what is not in its cache; the binary is
// started once, and one that does not start is removed.
package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// ErrMistake is what an error is that whoever asked can mend: nothing was compiled.
var ErrMistake = errors.New("what was asked for cannot be built")

// mistake is an ErrMistake that says no more than what it is about.
type mistake struct{ error }

func (mistake) Is(target error) bool { return target == ErrMistake }
func (m mistake) Unwrap() error      { return m.error }

// Options say what is compiled.
type Options struct {
	With   []string  // plugins: MODULE[@VERSION][=PATH]
	Tags   string    // build tags for the Go tool
	Output string    // the binary, or a folder for it
	Source string    // folder of amble's source; "": where this binary comes from
	Log    io.Writer // what the Go tool says, and what was built
}

// Run compiles a binary. It is interrupted when ctx ends.
func Run(ctx context.Context, o Options) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return mistake{errors.New("compiling plugins needs the Go toolchain, and there is no go on the PATH (https://go.dev/dl/)")}
	}
	parts, err := pluginParts(o.With)
	if err != nil {
		return mistake{err}
	}
	self, err := ownSource(o.Source)
	if err != nil {
		return mistake{err}
	}
	output, err := binaryPath(o.Output)
	if err != nil {
		return mistake{err}
	}
	dir, err := os.MkdirTemp("", "amble-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w := workshop{dir: dir, goTool: goTool, tags: o.Tags, log: o.Log}
	if err := w.compile(ctx, self, parts, output); err != nil {
		return err
	}
	added := packagesOf(parts)
	if o.Tags != "" {
		added = append(added, "the tags "+o.Tags)
	}
	fmt.Fprintf(o.Log, "built %s with %s\n", output, strings.Join(added, ", "))
	return nil
}

// binaryPath is where the binary goes: an absolute path.
func binaryPath(output string) (string, error) {
	name := "amble"
	if targetOS() == "windows" {
		name += ".exe"
	}
	if output == "amble" {
		output = name
	}
	info, err := os.Stat(output)
	if err == nil && info.IsDir() {
		output = filepath.Join(output, name)
		info, err = os.Stat(output)
	}
	if err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file that a binary could replace; name another one with --output", output)
	}
	return filepath.Abs(output)
}

func targetOS() string {
	if name := os.Getenv("GOOS"); name != "" {
		return name
	}
	return runtime.GOOS
}

// A workshop is the module in which a binary is compiled.
type workshop struct {
	dir    string
	goTool string
	tags   string
	log    io.Writer
}

func (w workshop) compile(ctx context.Context, self part, parts []part, output string) error {
	if err := w.prepare(ctx, self, parts); err != nil {
		return err
	}
	args := []string{"build", "-mod=mod", "-o", output}
	if w.tags != "" { // without, those of GOFLAGS hold
		args = append(args, "-tags", w.tags)
	}
	if err := w.run(ctx, append(args, ".")...); err != nil {
		return err
	}
	if targetOS() != runtime.GOOS || os.Getenv("GOARCH") != "" && os.Getenv("GOARCH") != runtime.GOARCH {
		return nil
	}
	return w.tryOut(ctx, output)
}

// prepare writes the module: go.mod, the sums that are known already, main.go.
func (w workshop) prepare(ctx context.Context, self part, parts []part) error {
	if err := w.write("go.mod", "module amble-with-plugins\n\ngo "+self.goVersion+"\n"); err != nil {
		return err
	}
	var sums strings.Builder
	for _, p := range append([]part{self}, parts...) {
		sums.WriteString(p.sums)
		if p.folder == "" {
			continue
		}
		if err := w.run(ctx, "mod", "edit", "-require="+p.module+"@"+noVersion, "-replace="+p.module+"="+p.folder); err != nil {
			return err
		}
	}
	if err := w.write("go.sum", sums.String()); err != nil {
		return err
	}
	var imports strings.Builder
	for _, name := range packagesOf(parts) {
		fmt.Fprintf(&imports, "\t_ %q\n", name)
	}
	main := fmt.Sprintf("package main\n\nimport (\n\t%q\n\n%s)\n\nfunc main() { cmd.Main() }\n", ownModule+"/cmd", imports.String())
	if err := w.write("main.go", main); err != nil {
		return err
	}
	for _, p := range append([]part{self}, parts...) {
		if p.folder != "" {
			continue
		}
		if err := w.run(ctx, "get", p.pkg+"@"+p.version); err != nil {
			return fmt.Errorf("getting %s@%s: %w", p.pkg, p.version, err)
		}
	}
	return nil
}

func (w workshop) write(name, text string) error {
	return os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600)
}

// run runs the Go tool in the workshop; what it says goes to the log.
func (w workshop) run(ctx context.Context, args ...string) error {
	cmd := w.command(ctx, w.goTool, args...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stdout, cmd.Stderr = w.log, w.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s: %w (what it said stands above)", args[0], err)
	}
	return nil
}

// tryOut starts the binary once, since a plugin can fail before main: an ID that
// is taken panics.
func (w workshop) tryOut(ctx context.Context, binary string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	said, err := w.command(ctx, binary, "version").CombinedOutput()
	if err == nil {
		return nil
	}
	_ = os.Remove(binary)
	first, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	return fmt.Errorf("the binary with these plugins does not start, and was removed: %s (%w)", first, err)
}

// command is interrupted, not killed, when ctx ends: the Go tool then removes
// what it has begun.
func (w workshop) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = w.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}
