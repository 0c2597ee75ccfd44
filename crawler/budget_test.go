package crawler

import (
	"sync"
	"testing"
)

func TestPageBudgetIsExact(t *testing.T) {
	b := newPageBudget(100, 20)
	var mu sync.Mutex
	used, tries := 0, 0
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for b.take() {
				mu.Lock()
				tries++
				page := tries%3 != 0 // every third gives no page
				if page {
					used++
				}
				mu.Unlock()
				b.give(page)
			}
		})
	}
	workers.Wait()
	if used != 80 {
		t.Errorf("%d pages were used of a budget of 100 with 20 done", used)
	}
}

func TestPageBudgetStops(t *testing.T) {
	b := newPageBudget(1, 0)
	if !b.take() {
		t.Fatal("nothing to take")
	}
	ended := make(chan bool)
	go func() { ended <- b.take() }()
	b.stop()
	if <-ended {
		t.Error("a stopped budget gave a page")
	}
}
