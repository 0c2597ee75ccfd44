package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
)

func newPluginsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plugins [ID]",
		Short: "List the extractors of this binary, or the keys of one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := crawler.Extractors.IDs()
			if len(args) == 0 {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(ids, "\n"))
				return err
			}
			text, ok := config.ExtractorReference(args[0])
			if !ok {
				return exit.With(exit.Config, fmt.Errorf("there is no extractor %q (there are: %s)", args[0], strings.Join(ids, ", ")))
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
}
