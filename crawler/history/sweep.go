package history

import (
	"context"
	"math"
	"slices"
	"time"
)

// Sweep forgets what belongs to nobody: crawls that are not among those known and of
// which nothing is younger than before, and hosts that no longer ask to be left alone. A
// crawl whose config is broken for some days is none of them.
func (h *History) Sweep(ctx context.Context, known []string, before, now time.Time) error {
	gone, err := h.strangers(ctx, known)
	if err != nil {
		return h.explain(err)
	}
	for _, name := range gone {
		var last int64
		if err := h.db.QueryRowContext(ctx, `SELECT coalesce(max(max(started, ended, occurrence)), 0) FROM runs WHERE crawl = ?`, name).Scan(&last); err != nil {
			return h.explain(err)
		}
		if last == 0 || last >= unix(before) {
			continue
		}
		if _, err := h.Prune(ctx, name, math.MaxInt32, before); err != nil {
			return err
		}
		if _, err := h.db.ExecContext(ctx, `DELETE FROM crawls WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE crawl = ?1)`, name); err != nil {
			return h.explain(err)
		}
	}
	_, err = h.db.ExecContext(ctx, `DELETE FROM debts WHERE until <= ?`, unix(now))
	return h.explain(err)
}

// strangers are the crawls in the file that are not among those known.
func (h *History) strangers(ctx context.Context, known []string) (names []string, err error) {
	rows, err := h.db.QueryContext(ctx, `SELECT name FROM crawls`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // only read from
	known = slices.Sorted(slices.Values(known))
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if _, here := slices.BinarySearch(known, name); !here {
			names = append(names, name)
		}
	}
	return names, rows.Err()
}
