package history

import (
	"context"
	"time"
)

// maxDebts bounds the hosts that are remembered to have asked to be left alone.
const maxDebts = 10_000

// Owe notes that a host is to be left alone until a time, whatever process comes next.
func (h *History) Owe(ctx context.Context, host string, until time.Time) error {
	_, err := h.db.ExecContext(ctx, `INSERT INTO debts (host, until) VALUES (?1, ?2)
		ON CONFLICT (host) DO UPDATE SET until = max(until, excluded.until)`, host, unix(until))
	return h.explain(err)
}

// Debts gives the hosts that are to be left alone after a time, and until when; it
// forgets the others, and those due first where there are more than 10,000.
func (h *History) Debts(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	if _, err := h.db.ExecContext(ctx, `DELETE FROM debts WHERE until <= ?1
		OR host NOT IN (SELECT host FROM debts ORDER BY until DESC LIMIT ?2)`, unix(now), maxDebts); err != nil {
		return nil, h.explain(err)
	}
	rows, err := h.db.QueryContext(ctx, `SELECT host, until FROM debts`)
	if err != nil {
		return nil, h.explain(err)
	}
	defer func() { _ = rows.Close() }() // only read from
	debts := map[string]time.Time{}
	for rows.Next() {
		var host string
		var until int64
		if err := rows.Scan(&host, &until); err != nil {
			return nil, h.explain(err)
		}
		debts[host] = moment(until)
	}
	return debts, h.explain(rows.Err())
}
