package plan

import "time"

// Host is one host's part of a crawl.
type Host struct {
	// Pages are the pages to fetch, Others the requests beside them.
	Pages, Others int64
	Pace          Pace
	// Group names what shares a budget with the host, "" without; GroupPace is
	// that budget's.
	Group     string
	GroupPace Pace
}

// Group is what the hosts of one budget come to.
type Group struct {
	Hosts    int
	Requests int64
	Pace     Pace
	Shortest time.Duration
}

// Groups sums the hosts up by the budget they share.
func Groups(start time.Time, hosts []Host) map[string]*Group {
	groups := map[string]*Group{}
	for _, h := range hosts {
		if h.Group == "" {
			continue
		}
		g := groups[h.Group]
		if g == nil {
			g = &Group{Pace: h.GroupPace}
			groups[h.Group] = g
		}
		g.Hosts++
		g.Requests += h.Pages + h.Others
		g.Pace.Delay = max(g.Pace.Delay, h.GroupPace.Delay)
	}
	for _, g := range groups {
		g.Shortest = g.Pace.Shortest(start, g.Requests)
	}
	return groups
}

// Total is the least time until the last request of all hosts begins. With
// maxPages above zero it is the least time in which so many pages can be asked
// for, from whichever hosts.
func Total(start time.Time, hosts []Host, maxPages int64) time.Duration {
	var longest time.Duration
	var pages int64
	for _, h := range hosts {
		longest = max(longest, h.Pace.Shortest(start, h.Pages+h.Others))
		pages += h.Pages
	}
	for _, g := range Groups(start, hosts) {
		longest = max(longest, g.Shortest)
	}
	if maxPages <= 0 || pages <= maxPages {
		return longest
	}
	// How many pages can be had grows with the time: search for the least that
	// does, to within a hundredth of a second.
	low, high := time.Duration(-1), longest
	for high-low > 10*time.Millisecond {
		middle := low + (high-low)/2
		if reachable(start, hosts, middle) >= maxPages {
			high = middle
		} else {
			low = middle
		}
	}
	return high.Truncate(10 * time.Millisecond)
}

// reachable is how many pages can be asked for within d. Before the first page
// of a host comes one other request, where it has any.
func reachable(start time.Time, hosts []Host, d time.Duration) int64 {
	var sum int64
	shared := map[string]int64{}
	budget := map[string]Pace{}
	for _, h := range hosts {
		n := min(h.Pages, max(h.Pace.Within(start, d)-min(h.Others, 1), 0))
		if h.Group == "" {
			sum += n
			continue
		}
		shared[h.Group] += n
		if p, ok := budget[h.Group]; !ok || p.Delay < h.GroupPace.Delay {
			budget[h.Group] = h.GroupPace
		}
	}
	for name, n := range shared {
		sum += min(n, budget[name].Within(start, d))
	}
	return sum
}
