package cmd

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"text/tabwriter"
)

// crashTable counts what the crash tests did. It is printed where AMBLE_KILLS
// asks for the long form: `make torture`.
var crashTable struct {
	sync.Mutex
	rows   []*crashRow
	byName map[string]*crashRow
}

type crashRow struct {
	test, what string
	n          int
	failed     bool
}

// tell adds to the table what a test has done n times.
func tell(t *testing.T, what string, n int) {
	t.Helper()
	crashTable.Lock()
	defer crashTable.Unlock()
	key := t.Name() + "\n" + what
	row := crashTable.byName[key]
	if row == nil {
		if crashTable.byName == nil {
			crashTable.byName = make(map[string]*crashRow)
		}
		row = &crashRow{test: t.Name(), what: what}
		crashTable.byName[key] = row
		crashTable.rows = append(crashTable.rows, row)
		t.Cleanup(func() { row.failed = t.Failed() })
	}
	row.n += n
}

// tabulated runs the tests and then prints the table.
type tabulated struct{ *testing.M }

func (m tabulated) Run() int {
	code := m.M.Run()
	if os.Getenv("AMBLE_KILLS") == "" {
		return code
	}
	crashTable.Lock()
	defer crashTable.Unlock()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nTEST\tWHAT WAS DONE\tTIMES\tRESULT")
	for _, r := range crashTable.rows {
		result := "held"
		if r.failed {
			result = "BROKEN"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", r.test, r.what, r.n, result)
	}
	_ = w.Flush()
	return code
}
