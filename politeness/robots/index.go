package robots

import (
	"math"
	"math/bits"
	"slices"
	"sort"
	"strings"
)

// index finds the rule that ranks first among those that match a path without
// trying each. Rules are named by their rank.
type index struct {
	prefixes []prefix         // of rules without stars, sorted
	exact    map[string]int32 // of rules without stars that end in "$"
	wild     grams            // of rules with stars
}

// prefix is a literal with the best rank among the rules that match wherever
// it does: its own and those of the shorter prefixes it begins with.
type prefix struct {
	literal string
	parent  int32 // the longest of the others it begins with, -1 without one
	best    int32
}

const none = math.MaxInt32

func newIndex(rules []rule) index {
	var x index
	var wild []int32
	for i := range rules {
		p, rank := &rules[i].pattern, int32(i)
		switch {
		case p.wild:
			wild = append(wild, rank)
		case p.anchored:
			if x.exact == nil {
				x.exact = make(map[string]int32)
			}
			if _, ok := x.exact[p.glob]; !ok {
				x.exact[p.glob] = rank
			}
		default:
			x.prefixes = append(x.prefixes, prefix{literal: p.glob, best: rank})
		}
	}
	x.prefixes = nest(x.prefixes)
	x.wild = newGrams(rules, wild)
	return x
}

// nest sorts the prefixes and ties each to the longest it begins with.
func nest(all []prefix) []prefix {
	slices.SortStableFunc(all, func(a, b prefix) int { return strings.Compare(a.literal, b.literal) })
	all = slices.CompactFunc(all, func(a, b prefix) bool { return a.literal == b.literal })
	parent := int32(-1)
	for i := range all {
		for parent >= 0 && !strings.HasPrefix(all[i].literal, all[parent].literal) {
			parent = all[parent].parent
		}
		all[i].parent = parent
		if parent >= 0 {
			all[i].best = min(all[i].best, all[parent].best)
		}
		parent = int32(i)
	}
	return slices.Clip(all)
}

// first returns the rank of the rule that decides, -1 when none matches.
func (x *index) first(rules []rule, path string) int {
	best := int32(none)
	// The longest prefix of the path sorts at or before it, and what lies
	// between the two begins with it.
	at := int32(sort.Search(len(x.prefixes), func(i int) bool { return x.prefixes[i].literal > path })) - 1
	for at >= 0 && !strings.HasPrefix(path, x.prefixes[at].literal) {
		at = x.prefixes[at].parent
	}
	if at >= 0 {
		best = x.prefixes[at].best
	}
	if x.exact != nil {
		if rank, ok := x.exact[path]; ok {
			best = min(best, rank)
		}
	}
	best = x.wild.first(rules, path, best)
	if best == none {
		return -1
	}
	return int(best)
}

// grams files rules under one of the three-octet sequences that a matching
// path must hold, the one that fewest rules share; shorter sequences serve
// where no literal part is that long.
type grams struct {
	all   []int32  // every rule, ascending
	loose []int32  // rules without any literal octet
	start []uint32 // by hash: where its rules begin in items; nil when all are tried
	items []int32  // ascending within a hash
	shift uint8
	sizes [4]bool // which lengths are in use
}

const (
	// fewWild is the number of rules up to which trying each is cheaper.
	fewWild  = 8
	maxTable = 4096
)

func newGrams(rules []rule, wild []int32) grams {
	g := grams{all: slices.Clip(wild)}
	if len(wild) <= fewWild {
		return g
	}
	size := bits.Len(uint(min(len(wild)*2, maxTable) - 1))
	g.shift = uint8(32 - size)
	counts := make([]uint32, 1<<size)
	for _, rank := range wild {
		eachGram(rules[rank].pattern.glob, g.shift, func(hash uint32, _ int) { counts[hash]++ })
	}
	key := make([]int32, len(wild))
	for i, rank := range wild {
		key[i] = -1
		length := 0
		eachGram(rules[rank].pattern.glob, g.shift, func(hash uint32, n int) {
			if n > length || n == length && counts[hash] < counts[key[i]] {
				key[i], length = int32(hash), n
			}
		})
		g.sizes[length] = true
	}
	g.start = make([]uint32, 1<<size+1)
	for _, k := range key {
		if k >= 0 {
			g.start[k+1]++
		}
	}
	for i := 1; i < len(g.start); i++ {
		g.start[i] += g.start[i-1]
	}
	g.items = make([]int32, g.start[1<<size])
	next := slices.Clone(g.start)
	for i, k := range key {
		if k < 0 {
			g.loose = append(g.loose, wild[i])
			continue
		}
		g.items[next[k]] = wild[i]
		next[k]++
	}
	return g
}

// eachGram calls f for the sequences of a glob's literal parts: all of three
// octets, or the whole part where it is shorter.
func eachGram(glob string, shift uint8, f func(hash uint32, length int)) {
	for part := range strings.SplitSeq(glob, "*") {
		n := min(len(part), 3)
		for i := 0; n > 0 && i+n <= len(part); i++ {
			f(gramHash(part[i:i+n], shift), n)
		}
	}
}

func gramHash(s string, shift uint8) uint32 {
	h := uint32(len(s)) << 24
	for i := 0; i < len(s); i++ {
		h |= uint32(s[i]) << (8 * i)
	}
	return h * 0x9e3779b1 >> shift
}

// first returns the best of best and the ranks of matching rules.
func (g *grams) first(rules []rule, path string, best int32) int32 {
	left := maxWork
	if g.start == nil {
		return try(rules, g.all, path, best, &left)
	}
	best = try(rules, g.loose, path, best, &left)
	var seen [maxTable / 64]uint64
	for n := 1; n <= 3; n++ {
		if !g.sizes[n] {
			continue
		}
		for i := 0; i+n <= len(path); i++ {
			h := gramHash(path[i:i+n], g.shift)
			if from, to := g.start[h], g.start[h+1]; from < to && seen[h/64]&(1<<(h%64)) == 0 {
				seen[h/64] |= 1 << (h % 64)
				best = try(rules, g.items[from:to], path, best, &left)
			}
		}
	}
	return best
}

// try compares rules in order of rank until one matches or none can be better.
func try(rules []rule, ranks []int32, path string, best int32, left *work) int32 {
	for _, rank := range ranks {
		if rank >= best {
			break
		}
		rule := &rules[rank]
		if rule.pattern.matches(path, left, !rule.allow) {
			return rank
		}
	}
	return best
}
