package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/build"
	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
)

func newBuildCommand() *cobra.Command {
	var o build.Options
	cmd := &cobra.Command{
		Use:   "build [--with MODULE[@VERSION][=PATH]]... [--tags full]",
		Short: "Compile an amble that has your extractor plugins",
		Long: `Compiles a binary like this one with extractor plugins written in Go. Each
--with names a Go module, or a package in one, whose init functions register
plugins:

  amble build --with example.com/wordcount@v1.2.0
  amble build --with example.com/wordcount=./wordcount

With =PATH the module is taken from that folder. This needs the Go toolchain;
modules that are in its cache are not fetched again. docs/plugin-template is a
plugin to start from.

With --tags full the binary has what slows each start by an eighth of a second: dates
in 200 languages and the engine "thorough" of the extractor article.`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.With) == 0 && o.Tags == "" {
				return exit.With(exit.Config, errors.New("build: no plugin: name its module with --with MODULE[@VERSION][=PATH]; or --tags full"))
			}
			o.Log = cmd.ErrOrStderr()
			return buildExit(cmd.Context(), build.Run(cmd.Context(), o))
		},
	}
	cmd.Flags().StringArrayVar(&o.With, "with", nil, "a module to compile in: MODULE[@VERSION][=PATH]; may be repeated")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "amble", "the binary to write, or a folder for it")
	cmd.Flags().StringVar(&o.Tags, "tags", "", "build tags for the Go tool, such as full")
	cmd.Flags().StringVar(&o.Source, "source", "", "folder of amble's own source (default: the version of this binary)")
	return cmd
}

// buildExit is the exit of a build that ended with err.
func buildExit(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, build.ErrMistake):
		return exit.With(exit.Config, fmt.Errorf("build: %w", err))
	case ctx.Err() != nil:
		return exit.Silent(exit.Interrupted)
	case errors.As(err, new(*fs.PathError)):
		return exit.With(exit.Failed, fmt.Errorf("build: %w", err))
	}
	return exit.With(exit.Nothing, fmt.Errorf("build: %w", err))
}
