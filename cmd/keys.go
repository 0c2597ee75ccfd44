package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/politeness/identity"
)

func newKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make and publish the key that signs a crawler's requests",
		Long: `A crawler that signs its requests (Web Bot Auth) can be told from one that only
says so in its User-Agent:

  amble keys new bot.pem                 make a key
  amble keys directory bot.pem           print the document to publish for it`,
		Args: cli.KnownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newKeysNewCommand(), newKeysDirectoryCommand())
	return cmd
}

func newKeysNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new FILE",
		Short: "Make a signing key",
		Long: `Writes a new Ed25519 key to FILE, which only you may read, and prints the key's
identifier. A file that is there already is left as it is.`,
		Args: cli.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := identity.Generate()
			if err != nil {
				return exit.With(exit.Failed, err)
			}
			if err := key.Save(args[0]); err != nil {
				return keyFileError(err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), key.ID())
			return err
		},
	}
}

func newKeysDirectoryCommand() *cobra.Command {
	var agent string
	var valid time.Duration
	cmd := &cobra.Command{
		Use:   "directory FILE...",
		Short: "Print the public keys, to be published",
		Long: `Prints the key directory, a JSON Web Key Set with the public half of each key,
to be published at

  ` + identity.Path + `

of the https origin that the crawler names as its agent, with the Content-Type
` + identity.MediaType + `.

With --headers ORIGIN it prints instead the header to serve exactly that document
with, which proves that the directory belongs to the origin. The proof ends after
--valid; print it again before.`,
		Args: cli.Takes("FILE..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := loadKeys(args, cli.Logger(cmd, cmd.ErrOrStderr(), false))
			if err != nil {
				return err
			}
			body := identity.Directory(keys...)
			if agent == "" {
				_, err = cmd.OutOrStdout().Write(body)
				return err
			}
			header, err := identity.DirectoryHeader(agent, body, time.Now(), valid, keys...)
			if err != nil {
				return exit.With(exit.Config, err)
			}
			return writeHeader(cmd, header)
		},
	}
	cmd.Flags().StringVar(&agent, "headers", "", "print the header for this https origin, not the document")
	cmd.Flags().DurationVar(&valid, "valid", 90*24*time.Hour, "how long the header's proof is good for")
	return cmd
}

func loadKeys(paths []string, log *slog.Logger) ([]*identity.Key, error) {
	keys := make([]*identity.Key, 0, len(paths))
	for _, path := range paths {
		key, err := identity.Load(path, log)
		if err != nil {
			return nil, keyFileError(err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// writeHeader prints a line for each field, in an order that does not change.
func writeHeader(cmd *cobra.Command, header http.Header) error {
	for _, name := range []string{"Content-Type", "Content-Digest", "Signature-Input", "Signature"} {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, header.Get(name)); err != nil {
			return err
		}
	}
	return nil
}

// keyFileError is the exit of a key file that cannot be used: the wrong file, or
// a fault of the disk.
func keyFileError(err error) error {
	var path *fs.PathError
	if errors.Is(err, identity.ErrKey) || errors.As(err, &path) && path.Op == "open" {
		return exit.With(exit.Config, err)
	}
	return exit.With(exit.Failed, err)
}
