package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/state"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/sink/parquet"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// recordFlags say which records are exported, and how.
type recordFlags struct {
	format string
	kind   string
	out    string
}

func newExportCommand() *cobra.Command {
	var flags recordFlags
	cmd := &cobra.Command{
		Use:   "export STATE|CONFIG",
		Short: "Write the committed records of a run as jsonl, csv or parquet",
		Long: `Writes the records that a run has committed, also while it goes on: what is not
committed is left out. They are read from the crawl's jsonl output, which must still
be there.

jsonl goes to stdout, types one after the other. csv and parquet have a file for each
type: name it with {type} in -o, or choose one type with --type. Columns are all
fields that any record of the type has.

Exit status: 0 done; 2 there is nothing to export from; 3 the export cannot be
written.`,
		Args: cli.Takes("STATE|CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error { return export(cmd, args[0], flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", "jsonl", "jsonl, csv or parquet")
	f.StringVar(&flags.kind, "type", "", "only records of this `type`")
	f.StringVarP(&flags.out, "out", "o", "-", "the `file` to write; {type} stands for the record type, - is stdout")
	return cmd
}

// committed are the records of a run and how to read them.
type committed struct {
	source   *sink.JSONL
	position []byte
	kind     string // only these, "" for all
}

// each reads the records, until ctx ends.
func (c *committed) each(ctx context.Context, yield func(*crawler.Record) error) error {
	return c.source.EachCommitted(c.position, func(r *crawler.Record) error {
		if ctx.Err() != nil {
			return exit.Silent(exit.Interrupted)
		}
		if c.kind != "" && r.Type != c.kind {
			return nil
		}
		return yield(r)
	})
}

func export(cmd *cobra.Command, arg string, flags recordFlags) error {
	if !slices.Contains([]string{"jsonl", "csv", "parquet"}, flags.format) {
		return fmt.Errorf("export: --format %s: want jsonl, csv or parquet (%s)", flags.format, cli.SeeHelp(cmd))
	}
	c, err := findCommitted(cmd, arg)
	if err != nil {
		return err
	}
	columns, err := c.columns(cmd.Context())
	if err != nil {
		return exportError(err)
	}
	if flags.kind != "" {
		own := columns[flags.kind]
		if own == nil {
			return exit.With(exit.Config, fmt.Errorf("no record of type %q is committed; there are %s", flags.kind, orNone(slices.Sorted(maps.Keys(columns)))))
		}
		c.kind, columns = flags.kind, map[string]*tables.Columns{flags.kind: own}
	}
	if flags.format != "jsonl" && len(columns) > 1 && !strings.Contains(flags.out, "{type}") {
		return exit.With(exit.Config, fmt.Errorf("records of %d types (%s) go to files of their own: write -o 'out/{type}.%s', or choose one with --type",
			len(columns), strings.Join(slices.Sorted(maps.Keys(columns)), ", "), flags.format))
	}
	if flags.format == "jsonl" && !strings.Contains(flags.out, "{type}") {
		return exportError(c.write(cmd, flags, flags.out, "", columns))
	}
	for _, kind := range slices.Sorted(maps.Keys(columns)) {
		c.kind = kind
		if err := c.write(cmd, flags, strings.ReplaceAll(flags.out, "{type}", sink.FileName(kind)), kind, columns); err != nil {
			return exportError(err)
		}
	}
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// exportError is the exit of an export that failed.
func exportError(err error) error {
	if _, decided := errors.AsType[*exit.Error](err); err == nil || decided {
		return err
	}
	return exit.With(exit.Failed, errors.New(exit.InPlainWords(err)))
}

// findCommitted finds the output that a run's records are read from.
func findCommitted(cmd *cobra.Command, arg string) (*committed, error) {
	s, err := state.Find(cmd, arg)
	if err != nil {
		return nil, err
	}
	r, err := frontier.OpenReader(s.Dir)
	if err != nil {
		return nil, state.Unreadable(err)
	}
	defer r.Close()
	run, found, err := crawler.ReadRun(r)
	switch {
	case err != nil:
		return nil, exit.OfState(err)
	case !found:
		return nil, exit.With(exit.Config, fmt.Errorf("%s holds no run", s.Dir))
	}
	cfg := s.Config
	if cfg == nil {
		if cfg, err = configOfRun(cmd, run); err != nil {
			return nil, err
		}
	}
	for _, o := range cfg.Output {
		j, ok := o.Sink.(*sink.JSONL)
		if !ok {
			continue
		}
		position, err := crawler.ReadPosition(r, o.Name)
		if err != nil {
			return nil, exit.OfState(err)
		}
		if position != nil {
			return &committed{source: j, position: position}, nil
		}
	}
	// The run's own outputs may have been those of --set.
	for _, name := range run.Outputs {
		path, ok := strings.CutPrefix(name, "jsonl:")
		if !ok {
			continue
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(cfg.Dir, filepath.FromSlash(path))
		}
		position, err := crawler.ReadPosition(r, name)
		if err != nil {
			return nil, exit.OfState(err)
		}
		if position != nil {
			return &committed{source: &sink.JSONL{Path: path}, position: position}, nil
		}
	}
	return nil, exit.With(exit.Config, fmt.Errorf("the run %s has no jsonl output to read its records from; it has %s", run.ID, orNone(run.Outputs)))
}

// configOfRun loads the config that a run began with.
func configOfRun(cmd *cobra.Command, run crawler.RunState) (*config.Config, error) {
	if run.Config == "" {
		return nil, exit.With(exit.Config, errors.New("the state does not know its config: name that instead"))
	}
	if _, err := os.Stat(run.Config); err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("the run's config is not there any more: name where it is now (%w)", err))
	}
	return cli.LoadConfig(cmd, run.Config, nil)
}

// columns reads the records once, for their types and fields.
func (c *committed) columns(ctx context.Context) (map[string]*tables.Columns, error) {
	all := map[string]*tables.Columns{}
	err := c.each(ctx, func(r *crawler.Record) error {
		if all[r.Type] == nil {
			all[r.Type] = &tables.Columns{}
		}
		all[r.Type].AdmitRead(r)
		return nil
	})
	return all, err
}

// write exports to one file.
func (c *committed) write(cmd *cobra.Command, flags recordFlags, path, kind string, columns map[string]*tables.Columns) error {
	if flags.format == "csv" {
		return c.writeCSV(cmd.Context(), path, kind, columns[kind])
	}
	out, done, err := exportTo(cmd, path)
	if err != nil {
		return err
	}
	if flags.format == "jsonl" {
		var line []byte
		err = c.each(cmd.Context(), func(r *crawler.Record) error {
			line = append(sink.AppendJSON(line[:0], r), '\n')
			_, err := out.Write(line)
			return err
		})
		return errors.Join(err, done(err == nil))
	}
	w := parquet.NewWriter(out, kind, columns[kind])
	err = errors.Join(c.each(cmd.Context(), w.Write), w.Close())
	return errors.Join(err, done(err == nil))
}

// writeCSV lets the csv output write, which knows how.
func (c *committed) writeCSV(ctx context.Context, path, kind string, columns *tables.Columns) error {
	if columns == nil {
		return nil // no record at all
	}
	w := &sink.CSV{Path: path}
	fields := columns.Names()
	info := crawler.RunInfo{Tombstones: slices.Contains(fields, crawler.DeletedName)}
	fields = slices.DeleteFunc(fields, func(name string) bool { return name == crawler.DeletedName })
	info.Types = []crawler.RecordType{{Name: kind, Fields: fields}}
	if err := w.Open(ctx, info, nil); err != nil {
		return err
	}
	err := c.each(ctx, func(r *crawler.Record) error { return w.Write(ctx, []crawler.Record{*r}) })
	if err == nil {
		_, err = w.Flush(ctx)
	}
	return errors.Join(err, w.Close())
}

// exportTo opens the file to write, under another name until it is done.
func exportTo(cmd *cobra.Command, path string) (w io.Writer, done func(whole bool) error, err error) {
	if path == "-" {
		out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
		return out, func(bool) error { return out.Flush() }, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return nil, nil, err
	}
	out := bufio.NewWriterSize(f, 256<<10)
	return out, func(whole bool) error {
		if !whole {
			return errors.Join(f.Close(), os.Remove(f.Name()))
		}
		err := errors.Join(out.Flush(), f.Chmod(0o644), f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			_ = os.Remove(f.Name()) // what went wrong before matters
		}
		return err
	}, nil
}
