package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

func init() {
	crawler.Sinks.Register("postgres", func() crawler.Sink { return &Postgres{Table: "{type}"} })
}

const (
	patience       = time.Minute      // for a database that cannot be reached
	connectTimeout = 10 * time.Second // of one attempt, where the URL names none
)

// Postgres writes records to the tables of a database. It is not safe for
// concurrent use, as [crawler.Sink] says.
type Postgres struct {
	URL    string `yaml:"url,scalar" doc:"The database, as postgres://user:password@host:port/name or key=value pairs; PGHOST and its kin fill in what is missing. Write the password as ${VARIABLE}."`
	Schema string `yaml:"schema" doc:"The schema of the tables, made where it is missing; by default the first of the search path."`
	Table  string `yaml:"table" doc:"The name of a table; {type} stands for the record type." default:"{type}"`
	Keep   bool   `yaml:"keep" doc:"A new run keeps the rows of earlier ones, and replaces those with the same _key."`

	out *tables.Output
}

// Validate reports what is wrong with the settings, as *crawler.ConfigError.
func (p *Postgres) Validate() error {
	var wrong []error
	switch _, err := pgx.ParseConfig(p.URL); {
	case strings.TrimSpace(p.URL) == "":
		wrong = append(wrong, &crawler.ConfigError{Path: []string{"url"}, Msg: "no database is given", Hint: "write postgres://user@host/name"})
	case err != nil:
		wrong = append(wrong, &crawler.ConfigError{Path: []string{"url"}, Msg: "this is not the address of a database", Hint: "write postgres://user:${PASSWORD}@host:5432/name"})
	}
	if err := tables.CheckTemplate(p.Table); err != nil {
		wrong = append(wrong, err)
	}
	if strings.ContainsRune(p.Schema, 0) || len(p.Schema) > 63 {
		wrong = append(wrong, &crawler.ConfigError{Path: []string{"schema"}, Msg: "this is not the name of a schema"})
	}
	return errors.Join(wrong...)
}

// Open connects and brings the tables to the position.
func (p *Postgres) Open(ctx context.Context, run crawler.RunInfo, position []byte) error {
	if p.out.IsOpen() {
		return errors.New("the sink is open already")
	}
	cfg, err := pgx.ParseConfig(p.URL)
	if err != nil {
		return fmt.Errorf("%w: the address of the database cannot be read", crawler.ErrStop) // err may hold the password
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "amble " + run.Crawl
	}
	var each []stdlib.OptionOpenDB
	if p.Schema != "" {
		each = append(each, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+tables.Quoted(p.Schema)+"; SET search_path TO "+tables.Quoted(p.Schema))
			return err
		}))
	}
	db := stdlib.OpenDB(*cfg, each...)
	db.SetMaxOpenConns(1) // an output is one transaction after the other
	place := "postgres " + net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))) + "/" + cfg.Database
	if p.Schema != "" {
		place += " schema " + p.Schema
	}
	out, err := tables.Open(ctx, tables.Options{
		Dialect: dialect{}, DB: db, Place: place, Table: p.Table, Keep: p.Keep, Patience: patience,
	}, run, position)
	if err == nil {
		p.out = out
	}
	return err
}

// Write keeps records until Flush.
func (p *Postgres) Write(ctx context.Context, records []crawler.Record) error {
	return p.out.Write(ctx, records)
}

// Flush writes what was kept in one transaction and returns the position.
func (p *Postgres) Flush(ctx context.Context) ([]byte, error) { return p.out.Flush(ctx) }

// Places lists the tables.
func (p *Postgres) Places() []string { return p.out.Places() }

// Close ends the connection. Records that were not flushed are dropped.
func (p *Postgres) Close() error { return p.out.Close() }
