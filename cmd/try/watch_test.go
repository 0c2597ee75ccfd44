package try

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"
)

// fileState is the state of a file.
type fileState struct {
	os.FileInfo
	size int64
	at   int
}

func (s fileState) ModTime() time.Time { return time.Unix(int64(s.at), 0) }
func (s fileState) Size() int64        { return s.size }
func (s fileState) Sys() any           { return nil }

// A save is told once, when the file has come to rest, however an editor saves.
func TestWatcher(t *testing.T) {
	a, b, half := fileState{size: 10, at: 1}, fileState{size: 12, at: 2}, fileState{size: 5, at: 2}
	for _, tt := range []struct {
		name   string
		states []os.FileInfo // at one look after the other; nil: not there
		tells  []int         // looks at which a save is told
	}{
		{"nothing happens", []os.FileInfo{a, a, a, a}, []int{0}},
		{"written in place", []os.FileInfo{a, a, b, b, b}, []int{0, 3}},
		{"still being written", []os.FileInfo{a, half, b, b, b}, []int{0, 3}},
		{"removed and written anew", []os.FileInfo{a, nil, nil, b, b, b}, []int{0, 4}},
		{"touched and put back", []os.FileInfo{a, b, a, a, a}, []int{0}},
		{"not there at first", []os.FileInfo{nil, nil, a, a}, []int{2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			look := -1
			over := errors.New("over")
			w := &watcher{
				stat: func() (os.FileInfo, error) {
					if look++; look >= len(tt.states) {
						return nil, fs.ErrNotExist
					}
					if tt.states[look] == nil {
						return nil, fs.ErrNotExist
					}
					return tt.states[look], nil
				},
				tick: func(context.Context) error {
					if look >= len(tt.states) {
						return over
					}
					return nil
				},
				same: func(a, b os.FileInfo) bool { return a == b },
			}
			var tells []int
			for w.next(t.Context()) == nil {
				tells = append(tells, look)
			}
			if len(tells) != len(tt.tells) {
				t.Fatalf("told at %v, want %v", tells, tt.tells)
			}
			for i := range tells {
				if tells[i] != tt.tells[i] {
					t.Errorf("told at %v, want %v", tells, tt.tells)
				}
			}
		})
	}
}
