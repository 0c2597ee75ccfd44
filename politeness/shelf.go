package politeness

import "container/list"

// shelf holds the texts of robots.txt that are in memory, the one used last in
// front. A crawl meets more hosts than it talks to at a time: where texts can be
// had again from Options.Recall, those used longest ago are put away once they
// take more than Options.MaxRules, and only what is owed stays.
type shelf struct {
	texts list.List // of *robotsCopy
	size  int       // octets of these and of all SiteFiles
}

// add takes in the text of a copy. Only what came from a file takes room.
func (s *shelf) add(c *robotsCopy) {
	if c.text != nil && c.kind == copyFile && c.place == nil {
		c.place = s.texts.PushFront(c)
		s.size += c.text.size
	}
}

func (s *shelf) use(c *robotsCopy) {
	if c.place != nil {
		s.texts.MoveToFront(c.place)
	}
}

// remove takes out a copy, nil for none.
func (s *shelf) remove(c *robotsCopy) {
	if c != nil && c.place != nil {
		s.texts.Remove(c.place)
		s.size -= c.text.size
		c.place = nil
	}
}

// putAway drops texts until the rest is within the bound, or the one in use is
// all there is.
func (s *shelf) putAway(most int) {
	for s.size > most && s.texts.Len() > 1 {
		c := s.texts.Back().Value.(*robotsCopy)
		s.remove(c)
		c.text = nil
	}
}

// settleShelf keeps to MaxRules where what is put away can be had again.
func (g *Gate) settleShelf() {
	if g.recallRobots != nil {
		g.shelf.putAway(g.maxRules)
	}
}

// retrieve reads the text of a host's copy that was put away. It runs as recall
// does.
func (g *Gate) retrieve(h *host, c *robotsCopy) {
	done := false
	defer func() {
		if !done { // the callback panicked: the next caller tries again
			g.mu.Lock()
			h.memory = known
			g.mu.Unlock()
		}
	}()
	text := g.kept(h.origin, c.hash)
	g.mu.Lock()
	defer g.mu.Unlock()
	h.memory, done = known, true
	if c != h.robots.copy { // a new one came meanwhile
		return
	}
	if c.text = text; text == nil {
		// What was kept is gone. The copy serves no longer, but for its
		// Crawl-delay, and robots.txt is fetched anew and kept again.
		c.text, c.got, c.hash = g.noRules.text, c.got.AddDate(-1, 0, 0), [16]byte{}
		return
	}
	g.shelf.add(c)
	g.settleShelf()
}

// kept is the text that Options.Recall has of an origin, nil when it has another
// version or none.
func (g *Gate) kept(origin string, hash [16]byte) *robotsText {
	if g.recallRobots == nil {
		return nil
	}
	c := readRobots(g.recallRobots(origin), &g.policy)
	if c == nil || c.kind != copyFile || c.hash != hash {
		return nil
	}
	return c.text
}

// text returns the text of an origin's copy without keeping it in memory; nil
// without one.
func (g *Gate) text(origin string) *robotsText {
	g.mu.Lock()
	h := g.hosts[origin]
	if h == nil || h.robots.copy == nil {
		g.mu.Unlock()
		return nil
	}
	text, hash := h.robots.copy.text, h.robots.copy.hash
	g.mu.Unlock()
	if text == nil {
		text = g.kept(origin, hash)
	}
	return text
}
