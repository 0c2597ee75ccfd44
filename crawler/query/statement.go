package query

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Driver is a kind of database.
type Driver string

// The databases that queries can be put to.
const (
	Postgres Driver = "postgres"
	SQLite   Driver = "sqlite"
	MySQL    Driver = "mysql"
)

// Statement is an SQL text with the places of its parameters.
type Statement struct {
	driver Driver
	// texts and names alternate, beginning and ending with a text.
	texts, names []string
}

// MaxStatement is the longest SQL text, in bytes.
const MaxStatement = 64 << 10

// Compile finds the parameters, :name, of a statement: outside of strings, quoted
// names and comments, and where no cast (::) stands. The error is for people.
func Compile(driver Driver, sql string) (*Statement, error) {
	sql = strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n")
	switch {
	case sql == "":
		return nil, errors.New("the statement is empty")
	case len(sql) > MaxStatement:
		return nil, fmt.Errorf("the statement is longer than %d KiB", MaxStatement>>10)
	case strings.ContainsRune(sql, 0):
		return nil, errors.New("the statement holds a NUL byte")
	}
	s := &Statement{driver: driver}
	from := 0
	for i := 0; i < len(sql); {
		next, name, err := driver.token(sql, i)
		if err != nil {
			return nil, err
		}
		if name != "" {
			s.texts = append(s.texts, sql[from:i])
			s.names = append(s.names, name)
			from = next
		}
		i = next
	}
	s.texts = append(s.texts, sql[from:])
	return s, nil
}

// token reads what begins at sql[i]: it ends at next, and is a parameter where it
// has a name.
func (d Driver) token(sql string, i int) (next int, name string, err error) {
	c, rest := sql[i], sql[i:]
	switch {
	case c == '\'' || c == '"' || c == '`' && d != Postgres:
		next, err = d.quoted(sql, i)
		return next, "", err
	case strings.HasPrefix(rest, "--"), c == '#' && d == MySQL:
		return i + lineLength(rest), "", nil
	case strings.HasPrefix(rest, "/*"):
		next, err = d.comment(sql, i)
		return next, "", err
	case c == '$' && d == Postgres:
		next, err = dollar(sql, i)
		return next, "", err
	case c == '?' && d != Postgres:
		return 0, "", errors.New("a placeholder ?: parameters are written as :name")
	case c == ';':
		return 0, "", errors.New("a semicolon: a query is one statement")
	case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, ":="):
		return i + 2, "", nil
	case c == ':':
		n := nameLength(rest[1:])
		return i + 1 + n, rest[1 : 1+n], nil
	case isNameByte(c): // whole words, so that no name begins in their middle
		for i < len(sql) && (isNameByte(sql[i]) || sql[i] == '$') {
			i++
		}
		return i, "", nil
	}
	return i + 1, "", nil
}

// quoted skips a string or a quoted name. A doubled quote is one of its characters,
// as is one behind a backslash where the database reads it so.
func (d Driver) quoted(sql string, i int) (int, error) {
	quote := sql[i]
	escapes := d == MySQL && quote != '`' || d == Postgres && quote == '\'' && isEscapeString(sql, i)
	for j := i + 1; j < len(sql); j++ {
		switch {
		case sql[j] == '\\' && escapes:
			j++
		case sql[j] == quote && j+1 < len(sql) && sql[j+1] == quote:
			j++
		case sql[j] == quote:
			return j + 1, nil
		}
	}
	return 0, fmt.Errorf("a quote %c is not closed", quote)
}

// isEscapeString reports whether the quote at i is that of E'...'.
func isEscapeString(sql string, i int) bool {
	return i > 0 && sql[i-1]|0x20 == 'e' && (i == 1 || !isNameByte(sql[i-2]) && sql[i-2] != '$')
}

func lineLength(rest string) int {
	if n := strings.IndexByte(rest, '\n'); n >= 0 {
		return n
	}
	return len(rest)
}

// comment skips /* ... */, which PostgreSQL nests.
func (d Driver) comment(sql string, i int) (int, error) {
	depth := 0
	for j := i; j+1 < len(sql); {
		switch {
		case sql[j] == '/' && sql[j+1] == '*' && (depth == 0 || d == Postgres):
			depth, j = depth+1, j+2
		case sql[j] == '*' && sql[j+1] == '/':
			if depth, j = depth-1, j+2; depth == 0 {
				return j, nil
			}
		default:
			j++
		}
	}
	return 0, errors.New("a comment /* is not closed")
}

// dollar skips $tag$...$tag$; $1 would be a placeholder.
func dollar(sql string, i int) (int, error) {
	n := nameLength(sql[i+1:])
	switch {
	case i+1 < len(sql) && sql[i+1] >= '0' && sql[i+1] <= '9':
		return 0, errors.New("a placeholder $1: parameters are written as :name")
	case i+1+n >= len(sql) || sql[i+1+n] != '$':
		return i + 1, nil
	}
	tag := sql[i : i+n+2]
	end := strings.Index(sql[i+len(tag):], tag)
	if end < 0 {
		return 0, fmt.Errorf("a text %s is not closed", tag)
	}
	return i + len(tag) + end + len(tag), nil
}

// nameLength is how many bytes at the start of s are a parameter's name.
func nameLength(s string) int {
	n := 0
	for n < len(s) && isNameByte(s[n]) && (n > 0 || s[n] < '0' || s[n] > '9') {
		n++
	}
	return n
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// Names lists the parameters in the order of their places.
func (s *Statement) Names() []string { return s.names }

// whole is the text with placeholders, and the names of what they stand for.
func (s *Statement) whole() (sql string, names []string) {
	var b strings.Builder
	at := map[string]int{}
	for i, text := range s.texts {
		b.WriteString(text)
		if i == len(s.names) {
			break
		}
		name := s.names[i]
		if s.driver != Postgres || at[name] == 0 {
			names = append(names, name)
			at[name] = len(names)
		}
		b.WriteString(s.driver.placeholder(at[name]))
	}
	return b.String(), names
}

func (d Driver) placeholder(n int) string {
	if d == Postgres {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}

// Quoted is a name as the database quotes it.
func (d Driver) Quoted(name string) string {
	if d == MySQL {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
