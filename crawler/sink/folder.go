package sink

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// create makes a file with the folders above it and returns when their names
// are durable, so that a power cut after a commit cannot take a file away whose
// content was synced.
func create(path string) (*os.File, error) {
	folder := filepath.Dir(path)
	touched := []string{folder}
	for dir := folder; ; {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		touched = append(touched, up)
		dir = up
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for _, dir := range touched {
		if err := syncFolder(dir); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("syncing the folder %s: %w", dir, err)
		}
	}
	return f, nil
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be opened for syncing there
	}
	dir, err := os.Open(path)
	if errors.Is(err, os.ErrPermission) {
		return nil // writable but not readable: nothing can be synced, and files still can be made
	}
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // a file system that has no such thing
	}
	return err
}
