package config

import (
	"maps"
	"slices"

	"github.com/amblecrawl/amble/crawler/query"
)

// query checks a seed that is a query: every parameter has a value of its type,
// once.
func (k *seedCheck) query(c *Config, s *Seed, n *node) {
	q := k.seedQuery(c, s.Query, n.below([]string{"query"}).place)
	if q == nil {
		return
	}
	p := n
	if e := n.get("partition"); e != nil {
		p = e.value
	}
	given := map[string]bool{}
	k.values(q, s.Params, n, given)
	switch part := &s.Partition; {
	case part.Query != "":
		k.partitionQuery(c, part, q, p)
		return // its rows tell the rest
	case !part.empty():
		k.partition(q, part, p, given)
	}
	for _, param := range q.Params {
		if !given[param.Name] {
			k.errorf(n.place, "give it under params, or in a partition", "seeds: the parameter %s of the query %s has no value", param.Name, q.Name)
		}
	}
}

// seedQuery finds a query that could be compiled. One that could not has been
// complained about.
func (k *seedCheck) seedQuery(c *Config, name string, at place) *query.Query {
	var names []string
	for i := range c.Queries {
		names = append(names, c.Queries[i].Name)
	}
	if !slices.Contains(names, name) {
		k.unknownName(at, "seeds: there is no query "+short(name), name, names)
	}
	return c.queries.Find("", name)
}

func (k *seedCheck) values(q *query.Query, values map[string]string, n *node, given map[string]bool) {
	above := n
	if e := n.get("params"); e != nil {
		above = e.value
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at := above.below([]string{name})
		given[name] = true
		p := q.Param(name)
		if p == nil {
			k.unknownParam(q, name, at.place)
			continue
		}
		k.value(q, p, values[name], at)
	}
}

func (k *seedCheck) unknownParam(q *query.Query, name string, at place) {
	var known []string
	for _, p := range q.Params {
		known = append(known, p.Name)
	}
	k.unknownName(at, "seeds: the query "+q.Name+" has no parameter "+short(name), name, known)
}

func (k *seedCheck) value(q *query.Query, p *query.Param, v string, at *node) (canonical string, ok bool) {
	if at.broken {
		return "", false
	}
	canonical, err := p.Type.Canonical(v)
	if err != nil {
		k.errorf(at.place, "", "seeds: the parameter %s of the query %s: %v; found %s", p.Name, q.Name, err, at)
	}
	return canonical, err == nil
}

func (k *seedCheck) partitionQuery(c *Config, part *Partition, q *query.Query, n *node) {
	if part.Param != "" || part.Values != nil || part.From != "" || part.To != "" || part.Step != "" || part.Until != "" {
		k.errorf(n.place, "the columns of its rows are named as the parameters", "seeds: a partition is a query, a range or a list of values, not several of them")
	}
	source := k.seedQuery(c, part.Query, n.below([]string{"query"}).place)
	if source == nil {
		return
	}
	given := map[string]bool{}
	k.values(source, part.Params, n, given)
	for _, p := range source.Params {
		if !given[p.Name] {
			k.errorf(n.place, "give it under partition.params", "seeds: the parameter %s of the query %s has no value", p.Name, source.Name)
		}
	}
}

func (k *seedCheck) partition(q *query.Query, part *Partition, n *node, given map[string]bool) {
	at := func(key string) *node { return n.below([]string{key}) }
	p := q.Param(part.Param)
	switch {
	case part.Param == "":
		k.errorf(n.place, "", "seeds: the partition names no param")
		return
	case p == nil:
		k.unknownParam(q, part.Param, at("param").place)
		return
	case given[p.Name]:
		k.errorf(at("param").place, "remove it from one of them", "seeds: the parameter %s is given twice", p.Name)
	case part.Params != nil:
		k.errorf(at("params").place, "those of this query stand beside partition:", "seeds: partition.params are those of partition.query")
	}
	given[p.Name] = true
	if part.Values != nil {
		if part.From != "" || part.To != "" || part.Step != "" || part.Until != "" {
			k.errorf(n.place, "", "seeds: a partition is a query, a range or a list of values, not several of them")
		}
		for i, v := range part.Values {
			k.value(q, p, v, k.listed(at("values"), i))
		}
		return
	}
	k.span(q, part, p, at, given)
}

func (k *seedCheck) listed(n *node, i int) *node {
	if n.kind == listKind && i < len(n.items) {
		return n.items[i]
	}
	return n
}

func (k *seedCheck) span(q *query.Query, part *Partition, p *query.Param, at func(string) *node, given map[string]bool) {
	before := len(k.found)
	if !query.Ranged(p.Type) {
		k.errorf(at("param").place, "give a list of values", "seeds: a range is of an integer, date or datetime, and %s is of the type %s", p.Name, p.Type)
		return
	}
	if part.Until != "" {
		switch until := q.Param(part.Until); {
		case until == nil:
			k.unknownParam(q, part.Until, at("until").place)
		case until.Type != p.Type || given[until.Name]:
			k.errorf(at("until").place, "", "seeds: partition.until is a second parameter of the same type as %s", p.Name)
		default:
			given[until.Name] = true
		}
	}
	for key, v := range map[string]*string{"from": &part.From, "to": &part.To} {
		if *v == "" {
			k.errorf(at(key).place, "", "seeds: the partition has no %s", key)
		} else if canonical, ok := k.value(q, p, *v, at(key)); ok {
			*v = canonical
		}
	}
	if err := query.CheckStep(p.Type, part.Step); err != nil {
		k.errorf(at("step").place, "", "seeds: partition.step: %v; found %s", err, at("step"))
	}
	if k.found[before:].Failed() {
		return
	}
	switch n := part.span(q).Count(); {
	case n == 0:
		k.errorf(at("to").place, "", "seeds: the partition is empty: to is before from")
	case n > query.MaxPartitions:
		k.errorf(at("step").place, "take a longer step", "seeds: the partition has more than %d parts", query.MaxPartitions)
	}
}

// checkQuerySeed looks at a seed's query, and for keys that belong to one.
func (k *seedCheck) checkQuerySeed(c *Config, s *Seed, n *node) {
	if s.Query != "" {
		k.query(c, s, n)
		return
	}
	for _, key := range []string{"params", "partition"} {
		if e := n.get(key); e != nil {
			k.errorf(e.place, "name the query", "seeds: %s belongs to a query, and there is none", key)
		}
	}
}
