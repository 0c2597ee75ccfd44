package query

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// errDriver lists what there is.
var errDriver = errors.New("want postgres://, mysql://, mariadb:// or sqlite: and a file")

// DriverOf tells the kind of a database by its URL. The error is for people, and
// says nothing of the URL, which may hold a password.
func DriverOf(address string) (Driver, error) {
	scheme, _, ok := strings.Cut(address, ":")
	if !ok {
		return "", errDriver
	}
	switch strings.ToLower(scheme) {
	case "postgres", "postgresql":
		return Postgres, nil
	case "sqlite":
		_, err := SQLitePath(address)
		return SQLite, err
	case "mysql", "mariadb":
		_, err := MySQLAddress(address)
		return MySQL, err
	case "duckdb":
		return "", errors.New("DuckDB is not supported, as its library is not written in Go: export to Parquet, or copy to SQLite")
	}
	return "", errDriver
}

// SQLitePath is the file of "sqlite:path".
func SQLitePath(address string) (string, error) {
	_, path, _ := strings.Cut(address, ":")
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		if !strings.HasPrefix(rest, "/") {
			return "", errors.New("write sqlite:folder/file.db, or sqlite:///folder/file.db for a path from the root")
		}
		path = rest
	}
	if path == "" || path == ":memory:" || strings.ContainsRune(path, 0) {
		return "", errors.New("name the file, as in sqlite:shop.db")
	}
	return path, nil
}

// MySQLAddress is "mysql://user:password@host:port/name?option=value" as the driver
// takes it.
func MySQLAddress(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Path == "" || u.Path == "/" {
		return "", errors.New("write mysql://user:${PASSWORD}@host:3306/name")
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	user := u.User.Username()
	if password, ok := u.User.Password(); ok {
		user += ":" + password
	}
	dsn := user + "@tcp(" + net.JoinHostPort(u.Hostname(), port) + ")/" + url.PathEscape(strings.TrimPrefix(u.Path, "/"))
	if u.RawQuery != "" {
		dsn += "?" + u.RawQuery
	}
	return dsn, nil
}
