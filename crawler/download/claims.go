package download

import (
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/amblecrawl/amble/crawler"
)

// Where a batch notes what is in its place: the owner of a name, the first file of a
// content, and how a file ended that was fetched in parts.
const (
	keyName = "download/name/"
	keySum  = "download/sum/"
	keyEnd  = "download/end/"
)

// endKept is the end of a file that was kept; others are classes of failures.
const endKept = "kept"

// content is where some content was first kept.
type content struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// fold is the form of a name by which it is claimed.
func (s *Store) fold(name string) string {
	if !s.folds {
		return name
	}
	return norm.NFC.String(strings.ToLower(name))
}

// claim makes a name that of a file, unless it is another's.
func (s *Store) claim(name, id string) error {
	if err := s.free(name, id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fold := s.fold(name)
	if owner := s.names[fold]; owner != "" && owner != id {
		return taken(name)
	}
	s.names[fold] = id
	return nil
}

func noPlace(format string, args ...any) error {
	return &crawler.FetchError{Class: crawler.ClassFile, Err: fmt.Errorf(format, args...)}
}

// free reports a name that is another's already.
func (s *Store) free(name, id string) error {
	fold := s.fold(name)
	s.mu.Lock()
	owner := s.names[fold]
	s.mu.Unlock()
	if owner == "" {
		noted, err := s.Recall(keyName + fold)
		if err != nil {
			return fmt.Errorf("%w: looking up a name: %w", crawler.ErrStop, err)
		}
		owner = string(noted)
	}
	if owner != "" && owner != id {
		return taken(name)
	}
	return nil
}

func taken(name string) error {
	return noPlace("another file has the name %s: add {id} to downloads.name, or what else tells them apart", name)
}

// unclaim gives a name back that no file is going to have.
func (s *Store) unclaim(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, s.fold(name))
}

// first notes where content goes, or finds where it was kept first.
func (s *Store) first(sum string, here content) (content, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.contents[sum]; ok {
		return c, c.URL == here.URL, nil
	}
	noted, err := s.Recall(keySum + sum)
	if err != nil {
		return content{}, false, fmt.Errorf("%w: looking up a content: %w", crawler.ErrStop, err)
	}
	var c content
	if noted != nil && json.Unmarshal(noted, &c) == nil {
		return c, c.URL == here.URL, nil
	}
	s.contents[sum] = here
	return here, true, nil
}

// end tells how a file has ended, "" while it has not.
func (s *Store) end(id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if end := s.ends[id]; end != "" {
		return end, nil
	}
	noted, err := s.Recall(keyEnd + id)
	if err != nil {
		return "", fmt.Errorf("%w: looking up a file: %w", crawler.ErrStop, err)
	}
	return string(noted), nil
}

// finish makes the caller the one who ends a file; it is one only.
func (s *Store) finish(id, how string) (mine bool, err error) {
	if end, err := s.end(id); err != nil || end != "" {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends[id] != "" {
		return false, nil
	}
	s.ends[id] = how
	return true, nil
}

// unfinish takes that back.
func (s *Store) unfinish(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ends, id)
}
