package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Takes checks that a command got the arguments that its usage names. The last
// may be given more than once when its name ends in "...".
func Takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		many := len(names) > 0 && strings.HasSuffix(names[len(names)-1], "...")
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s: %s is missing (%s)", cmd.Name(), strings.TrimSuffix(names[len(args)], "..."), SeeHelp(cmd))
		case len(args) > len(names) && !many && len(names) == 0:
			return fmt.Errorf("%s: takes no argument, found %q (%s)", cmd.Name(), args[0], SeeHelp(cmd))
		case len(args) > len(names) && !many:
			return fmt.Errorf("%s: %q is one argument too many (%s)", cmd.Name(), args[len(names)], SeeHelp(cmd))
		}
		return nil
	}
}

// KnownCommand refuses a first word that is no command, naming the nearest.
func KnownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := ""
	if names := root.SuggestionsFor(args[0]); len(names) > 0 {
		near = "did you mean " + strings.Join(names, " or ") + "? "
	}
	return fmt.Errorf("there is no command %q (%s%s)", args[0], near, SeeHelp(root))
}

// BadFlag says which command refused a flag.
func BadFlag(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%s: %w (%s)", cmd.Name(), err, SeeHelp(cmd))
}

func SeeHelp(cmd *cobra.Command) string { return "see " + cmd.CommandPath() + " --help" }
