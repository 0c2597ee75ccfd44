package frontier

// planHosts writes the states to keep and the marks of who has requests queued.
func (c *commit) planHosts() error {
	for name, s := range c.src.Hosts {
		t, err := c.touch(name)
		if err != nil {
			return err
		}
		state := c.f.fromState(s)
		t.state = &state
	}
	now := c.f.clock.now()
	for _, t := range c.order {
		var err error
		if h := c.f.hosts[t.id]; h != nil {
			err = c.planResident(h, t)
		} else {
			err = c.planDisk(t, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// planResident plans for a host in memory, whose r row exists: it goes when the
// batch leaves the host with nothing queued.
func (c *commit) planResident(h *host, t *touched) error {
	if t.state != nil {
		h.merge(*t.state)
		t.state = nil
	}
	if len(t.added) == 0 && t.settled > 0 && t.settled == h.held {
		if err := c.f.refill(h); err != nil {
			return err
		}
		if len(h.buf) == 0 {
			h.leaving = true
			if err := c.batch.Delete(readyKey(h.readyAt, h.id), nil); err != nil {
				return err
			}
			h.readyAt = 0
		}
	}
	if !h.dirty && !h.leaving {
		return nil
	}
	return h.save(c.batch)
}

// planDisk plans for a host that is on disk only, or new.
func (c *commit) planDisk(t *touched, now int64) error {
	changed := t.isNew
	if t.state != nil {
		notBefore := max(t.state.notBefore, t.rec.state.notBefore)
		t.rec.state = *t.state
		t.rec.state.notBefore = notBefore
		changed = true
	}
	if len(t.added) > 0 && t.rec.readyAt == 0 {
		t.rec.readyAt = max(t.rec.state.notBefore, now, 1)
		t.marked, changed = true, true
		if err := c.batch.Set(readyKey(t.rec.readyAt, t.id), nil, nil); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	return c.batch.Set(hostKey(t.id), encodeHost(&t.rec), nil)
}

// states are those of hosts on disk, for a lease that loads one of them before
// the batch is visible.
func (c *commit) states() map[uint64]*hostState {
	out := map[uint64]*hostState{}
	for _, t := range c.order {
		if t.state != nil {
			out[t.id] = t.state
		}
	}
	return out
}

// admit takes in a host that has just got its first queued requests, which the
// caller adds, if there is room; else the host is left for later.
func (f *Frontier) admit(id uint64, rec *hostRecord) *host {
	if len(f.hosts) >= f.opt.MaxHosts {
		f.leaveOnDisk(readyPos{rec.readyAt, id})
		return nil
	}
	h := f.enter(id, rec)
	h.covered = lastOrder
	return h
}

// leaveOnDisk notes an r row of a host that is not in memory.
func (f *Frontier) leaveOnDisk(p readyPos) {
	if p.before(f.spill) {
		f.spill = p
	}
	f.spillDue = min(f.spillDue, p.at)
}
