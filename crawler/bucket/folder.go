package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// folder is a bucket of files. Keys are slash-separated paths below it.
type folder struct{ root *os.Root }

func openFolder(place Place) (Bucket, error) {
	root, err := os.OpenRoot(place.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no folder %s: make it, or see that its name is right", ErrOptions, place.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return &folder{root}, nil
}

// tempPrefix begins the names of files that Put has not finished.
const tempPrefix = ".amble-put-"

// Close implements Bucket.
func (f *folder) Close() error { return f.root.Close() }

// List implements Bucket. It walks in the order of keys, so that After may be any key.
func (f *folder) List(ctx context.Context, o ListOptions) (Page, error) {
	w := &walk{ctx: ctx, root: f.root, ListOptions: o, limit: limitOf(o)}
	// The prefix ends within a name: only its folder is looked into.
	dir := ""
	if i := strings.LastIndexByte(o.Prefix, '/'); i >= 0 {
		dir = o.Prefix[:i+1]
	}
	if dir != "" && !fs.ValidPath(strings.TrimSuffix(dir, "/")) {
		return Page{}, nil // no file has such a key
	}
	if err := w.into(dir); err != nil && !errors.Is(err, errFull) {
		return Page{}, fileError("list", o.Prefix, err)
	}
	return w.page, nil
}

func limitOf(o ListOptions) int {
	if o.Limit <= 0 {
		return MaxPage
	}
	return min(o.Limit, MaxPage)
}

var errFull = errors.New("the page is full")

// walk gathers a page.
type walk struct {
	ListOptions
	ctx   context.Context
	root  *os.Root
	limit int
	page  Page
}

// into walks a folder, given with its slash.
func (w *walk) into(dir string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	names, err := w.names(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		key := dir + name
		below := strings.HasSuffix(name, "/")
		switch {
		case below && !strings.HasPrefix(key, w.Prefix) && !strings.HasPrefix(w.Prefix, key),
			!below && !strings.HasPrefix(key, w.Prefix),
			below && key < w.After && !strings.HasPrefix(w.After, key),
			!below && key <= w.After:
			continue
		case below:
			if err := w.into(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		if err := w.add(key); err != nil {
			return err
		}
	}
	return nil
}

// names are those in a folder, in the order of the keys they lead to.
func (w *walk) names(dir string) ([]string, error) {
	d, err := w.root.Open(cmpDot(strings.TrimSuffix(dir, "/")))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), tempPrefix):
		case e.IsDir():
			names = append(names, e.Name()+"/")
		case e.Type().IsRegular():
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func cmpDot(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

func (w *walk) add(key string) error {
	info, err := w.root.Lstat(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone since
	}
	if err != nil {
		return err
	}
	if len(w.page.Objects) == w.limit {
		w.page.Next = w.page.Objects[w.limit-1].Key
		return errFull
	}
	w.page.Objects = append(w.page.Objects, attributesOf(key, info))
	return nil
}

func attributesOf(key string, info fs.FileInfo) Attributes {
	return Attributes{
		Key: key, Size: info.Size(), Modified: info.ModTime(),
		ETag: fmt.Sprintf("%q", fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano())),
	}
}

// Open implements Bucket.
func (f *folder) Open(_ context.Context, key string, o ReadOptions) (*Object, error) {
	file, err := f.root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0) // not to wait for the writer of a pipe
	if err != nil {
		return nil, fileError("open", key, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotFound
	}
	if err != nil {
		file.Close()
		return nil, fileError("open", key, err)
	}
	a := attributesOf(key, info)
	switch {
	case o.IfMatch != "" && o.IfMatch != a.ETag:
		err = ErrChanged
	case o.Offset > 0 && o.Offset >= a.Size:
		err = ErrRange
	}
	if err != nil {
		file.Close()
		return nil, fileError("open", key, err)
	}
	a.ContentType = mime.TypeByExtension(path.Ext(key))
	length := a.Size - o.Offset
	if o.Length > 0 {
		length = min(length, o.Length)
	}
	return &Object{Attributes: a, Offset: o.Offset, Length: length, Body: &fileBody{io.NewSectionReader(file, o.Offset, length), file, length}}, nil
}

// fileBody tells a file that was cut while it is read.
type fileBody struct {
	*io.SectionReader
	file *os.File
	left int64
}

func (b *fileBody) Read(p []byte) (int, error) {
	n, err := b.SectionReader.Read(p)
	if b.left -= int64(n); err == io.EOF && b.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (b *fileBody) Close() error { return b.file.Close() }

// Stat implements Bucket.
func (f *folder) Stat(_ context.Context, key string) (Attributes, error) {
	info, err := f.root.Stat(key)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotFound
	}
	if err != nil {
		return Attributes{}, fileError("stat", key, err)
	}
	return attributesOf(key, info), nil
}

// Put implements Bucket: a temporary file that is synced and then renamed.
func (f *folder) Put(ctx context.Context, key string, body *io.SectionReader, o WriteOptions) error {
	return o.exchange(ctx, Exchange{http.MethodPut, body.Size()}, func(ctx context.Context) error {
		return fileErrorOrNil("put", key, f.write(ctx, key, body))
	})
}

func (f *folder) write(ctx context.Context, key string, body *io.SectionReader) error {
	if !fs.ValidPath(key) || key == "." {
		return fs.ErrInvalid
	}
	dir := path.Dir(key)
	if err := f.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temp := path.Join(dir, tempPrefix+rand.Text())
	file, err := f.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, contextReader{ctx, body})
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = f.root.Rename(temp, key)
	}
	if err != nil {
		return errors.Join(err, f.root.Remove(temp))
	}
	return f.sync(dir)
}

// sync makes the names in a folder durable.
func (f *folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// Delete implements Bucket.
func (f *folder) Delete(_ context.Context, key string) error {
	err := f.root.Remove(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fileErrorOrNil("delete", key, err)
}

func fileErrorOrNil(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return fileError(op, key, err)
}

func fileError(op, key string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR) && op != "put":
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return &Error{Op: op, Key: key, Err: err}
}
