package robots

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/politeness/robots"
)

// NewCommand is amble robots.
func NewCommand() *cobra.Command {
	var agent, file, mode string
	cmd := &cobra.Command{
		Use:   "robots --agent TOKEN [--file ROBOTS] URL...",
		Short: "Say what a robots.txt allows",
		Long: `Prints one line per URL: "allow" or "disallow", a tab, the number of the line
that decided (0: none), a tab, the URL. A single "-" reads URLs from stdin.
Without --file the robots.txt of each URL's host is fetched.`,
		Args: cli.Takes("URL..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("agent") {
				return exit.With(exit.Config, fmt.Errorf("robots: --agent is missing (%s)", cli.SeeHelp(cmd)))
			}
			m, err := robots.ParseMode(mode)
			if err != nil {
				return exit.With(exit.Config, fmt.Errorf("--mode: %w", err))
			}
			judge, err := newJudge(cmd, agent, file, m)
			if err != nil {
				return err
			}
			defer judge.close()
			out := bufio.NewWriter(cmd.OutOrStdout())
			defer out.Flush()
			return eachURL(cmd.InOrStdin(), args, func(url string) error {
				return judge.print(cmd.Context(), out, url)
			})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "the product `token` to match, such as bookbot (required)")
	cmd.Flags().StringVar(&file, "file", "", "a saved robots.txt, instead of fetching it")
	cmd.Flags().StringVar(&mode, "mode", "rfc", "rfc, or google for Google's exact reading")
	return cmd
}

// eachURL calls do for each argument, or for each line of in when "-" is the
// only argument.
func eachURL(in io.Reader, args []string, do func(string) error) error {
	if len(args) != 1 || args[0] != "-" {
		for _, url := range args {
			if err := do(url); err != nil {
				return err
			}
		}
		return nil
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		if err := do(lines.Text()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return exit.With(exit.Config, fmt.Errorf("reading URLs from stdin: %w", err))
	}
	return nil
}

func readRobotsFile(path string, m robots.Mode) (*robots.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("--file: %w", err))
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, robots.MaxSize+1))
	if err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("--file: %w", err))
	}
	return robots.Parse(body, m), nil
}
