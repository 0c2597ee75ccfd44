package dashboard

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browser starts a real browser; where there is none the test says that it was
// skipped.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium is installed")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("lang", "en"))
	all, stopAll := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stopAll)
	tab, stopTab := chromedp.NewContext(all)
	t.Cleanup(stopTab)
	ctx, stop := context.WithTimeout(tab, 2*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// look is how a page is looked at: the width, and whether the reader's system is dark.
func look(width int64, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(
		chromedp.EmulateViewport(width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}),
	)
}

func evaluated[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

func becomes(t *testing.T, ctx context.Context, script string) {
	t.Helper()
	waitFor(t, script, func() bool { return evaluated[bool](t, ctx, script) })
}

// A person starts, watches and stops crawls in a browser, by mouse and by keyboard; no
// page is wider than a phone, none runs what a site has put into it.
func TestInABrowser(t *testing.T) {
	ctx := browser(t)
	w := newWorld(t, nil)
	web := httptest.NewServer(w)
	t.Cleanup(web.CloseClientConnections)
	open := func(path string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Navigate(web.URL+path)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		width  int64
		scheme string
	}{{"light", 1280, "light"}, {"dark", 1280, "dark"}, {"phone", 390, "light"}, {"phone-dark", 390, "dark"}, {"small", 320, "light"}} {
		if err := chromedp.Do(ctx, look(c.width, c.scheme)); err != nil {
			t.Fatal(err)
		}
		papers := map[string]bool{}
		for name, path := range map[string]string{"overview": "/", "crawl": "/crawls/books", "run": "/runs/1", "config": "/crawls/daily/config", "host": "/crawls/books/host?origin=" + shop, "login": "/login"} {
			open(path)
			if wide := evaluated[int64](t, ctx, "document.documentElement.scrollWidth"); wide > c.width {
				t.Errorf("%s is %d wide at %d: %s", path, wide, c.width, evaluated[string](t, ctx,
					"[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest('.scroll')).map((e) => e.outerHTML.slice(0, 80)).join('; ')"))
			}
			papers[evaluated[string](t, ctx, "getComputedStyle(document.body).backgroundColor")] = true
			if evaluated[bool](t, ctx, "'pwned' in window || document.querySelector('main img, main script') !== null") {
				t.Errorf("%s runs what a site has put there", path)
			}
			shoot(t, ctx, name+"-"+c.name)
		}
		if paper := "rgb(18, 23, 21)"; len(papers) != 1 || papers[paper] != (c.scheme == "dark") {
			t.Errorf("%s: the paper is %v", c.name, papers)
		}
	}

	for _, path := range []string{"/", "/crawls/books", "/crawls/books/host?origin=" + shop} { // for people: nothing is asserted of time
		var paints []float64
		for range 5 {
			open(path)
			becomes(t, ctx, "performance.getEntriesByName('first-contentful-paint').length > 0")
			paints = append(paints, evaluated[float64](t, ctx, "performance.getEntriesByName('first-contentful-paint')[0].startTime"))
		}
		slices.Sort(paints)
		t.Logf("%s: first paint after %.0f ms, the median of five", path, paints[2])
	}
	open("/crawls/books")
	const pages = "document.querySelector('[data-figure=pages]')"
	before := evaluated[string](t, ctx, pages+".textContent")
	becomes(t, ctx, pages+".textContent !== '"+before+"'")
	becomes(t, ctx, "document.querySelectorAll('[data-latest] tbody tr').length > 0 && document.querySelectorAll('[data-rows=queues] tr').length === 2 && document.querySelector('[data-fills] meter') !== null && document.querySelector('#plot polyline').getAttribute('points').includes(' ')")
	if evaluated[bool](t, ctx, "'pwned' in window || document.querySelector('main img, main script') !== null") {
		t.Error("the script has put in what a site says as markup")
	}
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#test-alerts"))); err != nil {
		t.Fatal(err)
	}
	becomes(t, ctx, "document.getElementById('link-state').textContent === '1 of 2 alerts were taken'")
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#stop-books"))); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the run to be stopped", func() bool { return w.status("books").Running == 0 })
	becomes(t, ctx, pages+" === null && document.querySelector('#start-books') !== null")

	open("/")
	evaluated[bool](t, ctx, "document.getElementById('start-books').focus(), true")
	if err := chromedp.Do(ctx, chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the run to begin", func() bool { return w.status("books").Running != 0 })
	becomes(t, ctx, "document.activeElement.id === 'stop-books'")
}

// shoot keeps a picture of a page, for people, where DASHBOARD_PICTURES names a folder.
func shoot(t *testing.T, ctx context.Context, name string) {
	dir := os.Getenv("DASHBOARD_PICTURES")
	if dir == "" {
		return
	}
	data, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), data, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}
