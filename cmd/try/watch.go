package try

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
)

// watchEvery is how often a watched config is looked at.
const watchEvery = 200 * time.Millisecond

// watcher tells when a file has been saved. It looks at the file rather than
// asking the system for events, so that a save by renaming, on any file system, is
// a save like others.
type watcher struct {
	stat func() (os.FileInfo, error)
	tick func(context.Context) error // waits until it is time to look again
	same func(a, b os.FileInfo) bool
	last os.FileInfo
}

func newWatcher(path string) *watcher {
	return &watcher{
		stat: func() (os.FileInfo, error) { return os.Stat(path) },
		tick: func(ctx context.Context) error { return crawl.Pause(ctx, watchEvery) },
		same: sameFile,
	}
}

// next waits for the file to be another than it was, and to stay as it is for one
// look more: an editor may still be writing. A file that is not there is waited for.
func (w *watcher) next(ctx context.Context) error {
	var pending os.FileInfo
	for {
		info, err := w.stat()
		switch {
		case err != nil:
			pending = nil // some editors remove a file before they write it anew
		case w.last == nil:
			w.last = info
			return nil
		case pending != nil && w.same(pending, info):
			w.last = info
			return nil
		case w.same(w.last, info):
			pending = nil
		default:
			pending = info
		}
		if err := w.tick(ctx); err != nil {
			return err
		}
	}
}

func sameFile(a, b os.FileInfo) bool {
	return a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && os.SameFile(a, b)
}

// watchedTry is a page that is tried again and again. It is fetched once.
type watchedTry struct {
	path, url string
	flags     tryFlags
	page      *crawler.Page
	asked     bool // the host has been, and its delay is owed before it is again
	view      fieldView
	screen    bool // stdout is a terminal: it is cleared, and shows fields only
}

// watchTry tries again each time the config is saved, until interrupted.
func watchTry(cmd *cobra.Command, path, rawURL string, flags tryFlags) error {
	if _, err := os.Stat(path); err != nil {
		return exit.With(exit.Config, err)
	}
	t := &watchedTry{path: path, url: rawURL, flags: flags, view: fieldView{known: map[string]string{}, width: 100}}
	if file, ok := cmd.OutOrStdout().(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		t.screen = true
	}
	stdout, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	for w := newWatcher(path); ; {
		if err := w.next(cmd.Context()); err != nil {
			return exit.Silent(exit.Interrupted)
		}
		cmd.Root().SetOut(stdout) // what an earlier config hides is not hidden twice
		cmd.Root().SetErr(stderr)
		if t.screen {
			fmt.Fprint(stdout, "\x1b[H\x1b[2J")
			if width, _, err := term.GetSize(int(stdout.(*os.File).Fd())); err == nil {
				t.view.width = max(40, width-1)
			}
		}
		if err := t.once(cmd); err != nil && !exit.Said(err) {
			fmt.Fprintf(cmd.ErrOrStderr(), "amble: %v\n", err)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "--- watching %s; Ctrl-C ends it\n", path)
	}
}

// once tries the page by the config as it is now.
func (t *watchedTry) once(cmd *cobra.Command) error {
	cfg, err := cli.LoadConfig(cmd, t.path, t.flags.set)
	if err != nil {
		return err
	}
	u, err := cli.ParseRequest(cfg, t.url)
	if err != nil {
		return err
	}
	c, err := crawl.New(cfg, cli.Logger(cmd, cmd.ErrOrStderr(), false), crawl.Past{Hosts: polite.Memory{Used: t.asked}})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Open(cmd.Context()); err != nil {
		return err
	}
	if err := ledTypes(cfg, t.flags.types); err != nil {
		return err
	}
	if t.page == nil || t.flags.html != "" {
		t.asked = true
		if t.page, err = c.Page(cmd.Context(), u, t.flags.html, cli.Teller(cmd.ErrOrStderr())); err != nil {
			t.page = nil
			return err
		}
		t.page.Request.Types = t.flags.types
	}
	out := cmd.OutOrStdout()
	links := 20
	if t.screen {
		links = 0
		cmd.Root().SetOut(io.Discard) // the records are shown field by field
	}
	err = printTry(c, cmd, t.page, links)
	cmd.Root().SetOut(out)
	t.view.w = cmd.ErrOrStderr()
	if t.screen {
		t.view.w = out
	}
	t.view.of(cmd.Context(), c, t.page)
	return err
}
