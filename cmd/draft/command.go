package draft

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
)

// NewCommand is amble init.
func NewCommand() *cobra.Command {
	var flags initFlags
	cmd := &cobra.Command{
		Use:   "init URL",
		Short: "Look at a page and write a config to start from",
		Long: `Fetches a page as a crawl would, robots.txt first, sees what it offers
(structured data, blocks that repeat, tables, feeds, a sitemap, lists in JSON),
looks at one or two pages that it leads to, and writes a config with comments
that lints, runs and yields records: on stdout, or into the file that -o names.`,
		Args: cli.Takes("URL"),
		RunE: func(cmd *cobra.Command, args []string) error { return runInit(cmd, args[0], flags) },
	}
	cmd.Flags().StringVarP(&flags.out, "output", "o", "", "write the config to this `file`")
	cmd.Flags().BoolVar(&flags.force, "force", false, "replace the file where there is one")
	cmd.Flags().IntVar(&flags.more, "look", 3, "how many more `pages` to look at, such as detail pages; 0 for none")
	cmd.Flags().StringVar(&flags.agent, "agent", "amble", "the product `token` to be known by")
	cmd.Flags().StringVar(&flags.contact, "contact", "", "a `URL` or mail address where the site's operators reach you")
	cmd.Flags().StringVar(&flags.html, "html", "", "read the page from this `file` instead of fetching it, and fetch nothing")
	cmd.Flags().StringArrayVar(&flags.set, "set", nil, cli.SetUsage+"; for looking only, it is not written")
	return cmd
}

func runInit(cmd *cobra.Command, rawURL string, flags initFlags) error {
	u, err := cli.ParseURL(rawURL)
	if err != nil {
		return err
	}
	if u.Username() != "" || u.Password() != "" {
		return exit.With(exit.Config, fmt.Errorf("%q: a password does not belong into a config: leave it out", u.Redacted()))
	}
	if err := mayWrite(flags.out, flags.force); err != nil {
		return err
	}
	d := newDraft(u.WithoutFragment(), flags.agent, flags.contact)
	look, err := newLook(cmd, d, &flags)
	if err != nil {
		return err
	}
	defer look.crawl.Close()
	if err := look.at(cmd, u, flags.html); err != nil {
		if errors.Is(err, crawl.ErrWithheld) {
			return exit.With(exit.Nothing, err)
		}
		return err
	}
	if err := look.propose(cmd.Context(), d); err != nil {
		return err
	}
	text := d.String()
	if err := writeDraft(cmd.OutOrStdout(), flags.out, text, flags.force); err != nil {
		return err
	}
	look.tell(cmd.ErrOrStderr(), d, flags.out)
	return nil
}

// mayWrite refuses a file that is there, before anything is fetched for it.
func mayWrite(path string, force bool) error {
	if path == "" || force {
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return exit.With(exit.Config, fmt.Errorf("%s is there already: name another file, or replace it with --force", path))
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return exit.With(exit.Config, fmt.Errorf("%s: there is no folder %s", path, filepath.Dir(path)))
	}
	return nil
}

// writeDraft puts the config where it belongs. A file is there as a whole or not
// at all.
func writeDraft(stdout io.Writer, path, text string, force bool) error {
	if path == "" {
		_, err := io.WriteString(stdout, text)
		return err
	}
	if !force {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return mayWrite(path, false)
		}
		if err == nil {
			_, err = f.WriteString(text)
			err = errors.Join(err, f.Close())
		}
		return failedWriting(err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".amble-init-*")
	if err != nil {
		return failedWriting(err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return failedWriting(err)
}

func failedWriting(err error) error {
	if err == nil {
		return nil
	}
	return exit.With(exit.Failed, fmt.Errorf("writing the config: %w", err))
}
