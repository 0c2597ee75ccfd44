package runs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/serve"
)

// Bounds of a question to a daemon.
const (
	askFor    = 15 * time.Second
	maxAnswer = 1 << 20
)

// newRunsVerb is a command that a daemon is asked to follow.
func newRunsVerb(name, short, verb string) *cobra.Command {
	var at, token string
	cmd := &cobra.Command{
		Use: name + " CRAWL", Short: short, Args: cli.Takes("CRAWL"),
		Long: short + ".\nIt asks the daemon at --url, with the token in AMBLE_TOKEN where the daemon has one.\n\nExit status: 0 done; 1 there was nothing to do; 2 the daemon cannot be asked.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return askDaemon(cmd, at, cmp.Or(token, os.Getenv(serve.TokenVariable)), args[0], verb)
		},
	}
	cmd.Flags().StringVar(&at, "url", "http://127.0.0.1:7733", "`address` of the daemon's dashboard")
	cmd.Flags().StringVar(&token, "token", "", "the daemon's token; AMBLE_TOKEN keeps it out of the list of processes")
	return cmd
}

// askDaemon sends a command of the API.
func askDaemon(cmd *cobra.Command, at, token, crawl, verb string) error {
	base, err := url.Parse(at)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return exit.With(exit.Config, fmt.Errorf("--url %s: want an address such as http://127.0.0.1:7733", at))
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), askFor)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("api/v1/crawls", crawl, verb).String(), nil)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	r.Header.Set("Accept", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return exit.With(exit.Config, fmt.Errorf("the daemon cannot be asked: %w (does amble serve run there? --url names another address)", err))
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return exit.With(exit.Config, fmt.Errorf("the daemon's answer broke off: %w", err))
	}
	return readAnswer(cmd, answer.StatusCode, data, crawl)
}

func readAnswer(cmd *cobra.Command, status int, data []byte, crawl string) error {
	var told struct {
		State  string `json:"state"`
		Detail string `json:"detail"` // of a problem
	}
	err := json.Unmarshal(data, &told)
	switch {
	case status == http.StatusAccepted && err == nil && told.State != "":
		if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
			_, err := cmd.OutOrStdout().Write(data)
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", crawl, told.State)
		return nil
	case status == http.StatusConflict && told.Detail != "":
		return exit.With(exit.Nothing, errors.New(told.Detail))
	case told.Detail != "":
		return exit.With(exit.Config, fmt.Errorf("the daemon says: %s", format.Clip(strings.ToValidUTF8(told.Detail, "?"), format.MaxDetail)))
	}
	return exit.With(exit.Config, fmt.Errorf("status %d, and not the answer of amble serve: --url names another address", status))
}
