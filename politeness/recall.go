package politeness

// memoryState is where a host or a group stands with what was kept of it.
type memoryState uint8

const (
	unasked memoryState = iota
	recalling
	known
)

// recall asks for what was kept of a host that was just opened, and finds its
// group. It runs without the lock, since it may read a disk or a name server;
// others who ask for the host meanwhile are told to wait. Calls for one host
// never overlap, and there is one for each time it is opened.
func (g *Gate) recall(h *host) {
	done := false
	defer func() {
		if !done { // a callback panicked: the next caller tries again
			g.mu.Lock()
			h.memory = unasked
			g.mu.Unlock()
		}
	}()
	key := g.groupKey(h.origin)
	var debts []byte
	if g.debts != nil {
		debts = g.debts(h.origin)
	}
	var copied *robotsCopy
	if g.recallRobots != nil && h.robotsHold(&g.policy) {
		copied = readRobots(g.recallRobots(h.origin), &g.policy)
	}
	var file *siteCopy
	if g.recallSite != nil && h.web && g.policy.File != nil {
		file = g.recallFile(g.recallSite(h.origin))
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	if copied != nil {
		copied.got = g.clock.past(copied.got, now)
		if copied.kind != copyFile {
			copied.text = g.noRules.text // one for all
		}
		g.keep(h, copied)
	}
	if file != nil {
		file.until = g.clock.future(file.until, now, robotsLifetime)
		g.keepFile(h, *file)
	}
	h.recall(debts, g, now)
	g.join(h, key)
	h.grouped = now
	h.memory, done = known, true
}

// recallGroup does the same for the debts of a group.
func (g *Gate) recallGroup(s *group) {
	done := false
	defer func() {
		if !done {
			g.mu.Lock()
			s.memory = unasked
			g.mu.Unlock()
		}
	}()
	debts := g.debts(s.key)
	g.mu.Lock()
	defer g.mu.Unlock()
	if r, ok := readOpaque(debts); ok {
		s.restore(r.lane(), g, g.clock.now())
	}
	s.memory, done = known, true
}

// unread returns what has to be recalled before the host can be asked about;
// wait is true while another caller is about it.
func (g *Gate) unread(h *host) (read func(), wait bool) {
	switch {
	case h.memory == unasked && (g.debts != nil || g.recallRobots != nil || g.recallSite != nil || g.policy.Group != GroupHost):
		h.memory = recalling
		return func() { g.recall(h) }, false
	case h.memory == recalling:
		return nil, true
	case h.memory == known && g.stale(h, g.clock.now()):
		h.memory = recalling
		return func() { g.regroup(h) }, false
	}
	h.memory = known
	if c := h.robots.copy; c.away() {
		h.memory = recalling
		return func() { g.retrieve(h, c) }, false
	} else if c != nil {
		g.shelf.use(c)
	}
	switch s := h.group; {
	case s == nil || s.memory == known:
	case g.debts == nil:
		s.memory = known
	case s.memory == recalling:
		return nil, true
	default:
		s.memory = recalling
		return func() { g.recallGroup(s) }, false
	}
	return nil, false
}
