package crawler

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Registry maps a plugin's ID to its constructor. A constructor has no side
// effects: it returns a new struct holding the defaults, ready to be decoded
// into. Registering happens at init; a duplicate ID panics there, and nothing
// else does.
type Registry[T any] struct {
	kind string

	mu      sync.RWMutex
	plugins map[string]func() T
}

// NewRegistry makes a registry; kind is the word for its plugins in errors.
func NewRegistry[T any](kind string) *Registry[T] {
	return &Registry[T]{kind: kind, plugins: make(map[string]func() T)}
}

// The registries of the program.
var (
	Extractors  = NewRegistry[Extractor]("extractor")
	LinkFinders = NewRegistry[LinkFinder]("link rule")
	Sinks       = NewRegistry[Sink]("sink")
)

// Register adds a plugin under its ID, the name used in configs.
func (r *Registry[T]) Register(id string, constructor func() T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == "" || constructor == nil {
		panic(fmt.Sprintf("registering a %s without ID or constructor", r.kind))
	}
	if _, taken := r.plugins[id]; taken {
		panic(fmt.Sprintf("%s %q is registered twice", r.kind, id))
	}
	r.plugins[id] = constructor
}

// New makes the plugin with this ID, or reports that there is none.
func (r *Registry[T]) New(id string) (plugin T, ok bool) {
	r.mu.RLock()
	constructor, ok := r.plugins[id]
	r.mu.RUnlock()
	if !ok {
		return plugin, false
	}
	return constructor(), true
}

// IDs lists the registered plugins, sorted.
func (r *Registry[T]) IDs() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.plugins))
}

// Kind is the word for this registry's plugins.
func (r *Registry[T]) Kind() string { return r.kind }
