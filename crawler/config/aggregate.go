package config

import (
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// Aggregate is what the records of one type are summed up to, by groups.
type Aggregate struct {
	Name      string   `yaml:",key"`
	Of        string   `yaml:"of" required:"true" doc:"The type of the records."`
	GroupBy   []string `yaml:"group_by" default:"(all records are one group)" doc:"The fields whose values make a group."`
	Count     bool     `yaml:"count" default:"false" doc:"How many records the group has, as count."`
	Sum       []string `yaml:"sum" doc:"Fields whose numbers are added up, as sum_FIELD."`
	Min       []string `yaml:"min" doc:"Fields whose least value is kept, as min_FIELD."`
	Max       []string `yaml:"max" doc:"Fields whose greatest value is kept, as max_FIELD."`
	Avg       []string `yaml:"avg" doc:"Fields whose mean is made, as avg_FIELD."`
	Only      bool     `yaml:"only" default:"false" doc:"Leaves out the records themselves: only what they are summed up to is written."`
	MaxGroups int      `yaml:"max_groups" default:"100000" min:"1" max:"5000000" doc:"Groups at most, which are held in memory; one more stops the run."`
}

// recordTypes are the types of records that pages and queries give, with the fields
// that are known, nil where only the run will tell.
func (c *Config) recordTypes() map[string][]string {
	types := map[string][]string{}
	for _, r := range c.Extract {
		var fields []string
		if l, ok := r.Extractor.(crawler.FieldLister); ok {
			fields = l.FieldNames()
		}
		if known, twice := types[r.Type]; twice && (known == nil || fields == nil) {
			fields = nil
		} else {
			fields = append(fields, known...)
		}
		types[r.Type] = fields
	}
	for i := range c.Queries {
		name := c.Queries[i].Type
		if name == "" {
			name = c.Queries[i].Name
		}
		types[name] = nil
	}
	if len(c.Extract) == 0 && c.IsWeb() {
		types["page"] = nil
	}
	for i := range c.Seeds {
		if !c.Seeds[i].Rows.empty() {
			types[c.Seeds[i].Type] = nil // with the columns of its rows
		}
	}
	return types
}

func (l *loader) checkAggregates(c *Config) {
	types := c.recordTypes()
	var names []string
	for name := range types {
		names = append(names, name)
	}
	slices.Sort(names)
	for i := range c.Aggregate {
		a := &c.Aggregate[i]
		path := "aggregate." + a.Name
		at := func(key string) *node { return l.at("aggregate", a.Name, key) }
		key := l.keyPlace("aggregate", a.Name)
		if why := badType(a.Name); why != "" {
			l.errorf(key, "use letters, digits, - and _", "aggregate: %s", why)
		}
		fields, known := types[a.Of]
		switch _, taken := types[a.Name]; {
		case taken:
			l.errorf(key, "give the results another name", "%s: a type of other records has the name", path)
		case a.Of != "" && !known:
			l.unknownName(at("of").place, path+".of: there is no record type "+short(a.Of), a.Of, names)
		}
		lists := []struct {
			key   string
			names []string
		}{{"group_by", a.GroupBy}, {"sum", a.Sum}, {"min", a.Min}, {"max", a.Max}, {"avg", a.Avg}}
		if !a.Count && len(a.Sum)+len(a.Min)+len(a.Max)+len(a.Avg) == 0 {
			l.errorf(key, "add count: true, or fields under sum, min, max or avg", "%s: nothing is asked for", path)
		}
		for _, list := range lists {
			for j, name := range list.names {
				head, _, _ := strings.Cut(name, ".")
				item := at(list.key)
				if item.kind == listKind && j < len(item.items) {
					item = item.items[j]
				}
				switch {
				case name == "":
					l.errorf(item.place, "", "%s.%s: a field has no name", path, list.key)
				case slices.Contains(list.names[:j], name):
					l.errorf(item.place, "", "%s.%s: %s stands twice", path, list.key, short(name))
				case list.key == "group_by" && strings.HasPrefix(name, "_"):
					l.errorf(item.place, "", "%s.group_by: %s is no field of the records", path, short(name))
				case fields != nil && !slices.Contains(fields, name) && !slices.Contains(fields, head):
					l.unknownName(item.place, path+"."+list.key+": the records have no field "+short(name), name, fields)
				}
			}
		}
	}
}
