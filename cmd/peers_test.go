package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/gocolly/colly/v2"

	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// The peers are processes of their own, so that the benchmark can account for
// each one's CPU. Arguments: the server's address, the hosts, the output file.

// syntheticWeb serves HOSTS hosts of PAGES pages until stdin is closed, and
// prints its address.
func syntheticWeb() {
	hosts, pages := number(os.Args[1]), number(os.Args[2])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	server := &http.Server{
		Handler:           synthetic.New(synthetic.Options{Hosts: hosts, Pages: pages, Seed: 1}),
		ReadHeaderTimeout: time.Minute,
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	_ = server.Serve(listener) // ends when stdin does
}

type syntheticRecord struct {
	URL, Title, SKU string
	Price           float64
}

// plainColly is what one would write with colly alone for the same job.
func plainColly() {
	addr, hosts := os.Args[1], number(os.Args[2])
	out, err := os.Create(os.Args[3])
	check(err)
	defer out.Close()
	var mu sync.Mutex
	w := bufio.NewWriter(out)
	defer w.Flush()
	lines := json.NewEncoder(w)

	c := colly.NewCollector(colly.Async(true))
	check(c.Limit(&colly.LimitRule{DomainGlob: "*", Parallelism: 64}))
	c.WithTransport(transportTo(addr))
	c.OnHTML("html", func(e *colly.HTMLElement) {
		price, _ := strconv.ParseFloat(strings.TrimLeft(strings.TrimSpace(e.ChildText(".price")), "€$£ "), 64)
		r := syntheticRecord{URL: e.Request.URL.String(), Title: e.ChildText("h1"), SKU: e.ChildText(".sku"), Price: price}
		mu.Lock()
		defer mu.Unlock()
		check(lines.Encode(r))
	})
	c.OnHTML("a[href]", func(e *colly.HTMLElement) { _ = e.Request.Visit(e.Attr("href")) })
	for h := range hosts {
		check(c.Visit(syntheticSeed(h)))
	}
	c.Wait()
}

// bareLoop is the limit: fetch, parse, the same records and links, a set of
// seen URLs in memory, and nothing else.
func bareLoop() {
	addr, hosts := os.Args[1], number(os.Args[2])
	out, err := os.Create(os.Args[3])
	check(err)
	defer out.Close()
	w := bufio.NewWriter(out)
	defer w.Flush()
	l := &loop{client: &http.Client{Transport: transportTo(addr)}, seen: map[string]bool{}, lines: json.NewEncoder(w)}
	l.change = sync.NewCond(&l.mu)
	for h := range hosts {
		l.add(syntheticSeed(h))
	}
	var workers sync.WaitGroup
	for range 64 {
		workers.Go(l.work)
	}
	workers.Wait()
}

type loop struct {
	client *http.Client
	mu     sync.Mutex
	change *sync.Cond
	queue  []string
	busy   int
	seen   map[string]bool
	lines  *json.Encoder
}

func (l *loop) add(url string) {
	if !l.seen[url] {
		l.seen[url] = true
		l.queue = append(l.queue, url)
	}
}

func (l *loop) work() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(l.queue) == 0 {
			if l.busy == 0 {
				l.change.Broadcast()
				return
			}
			l.change.Wait()
		}
		url := l.queue[0]
		l.queue = l.queue[1:]
		l.busy++
		l.mu.Unlock()
		record, links := l.page(url)
		l.mu.Lock()
		l.busy--
		check(l.lines.Encode(record))
		for _, link := range links {
			l.add(link)
		}
		l.change.Broadcast()
	}
}

func (l *loop) page(url string) (syntheticRecord, []string) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	check(err)
	resp, err := l.client.Do(request)
	check(err)
	body, err := io.ReadAll(resp.Body)
	check(err)
	check(resp.Body.Close())
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	check(err)
	var links []string
	doc.Find("a[href]").Each(func(_ int, s *goquery.Selection) {
		href, _ := s.Attr("href")
		if u, err := request.URL.Parse(href); err == nil {
			u.Fragment = ""
			links = append(links, u.String())
		}
	})
	price, _ := strconv.ParseFloat(strings.TrimLeft(strings.TrimSpace(doc.Find(".price").Text()), "€$£ "), 64)
	return syntheticRecord{URL: url, Title: doc.Find("h1").Text(), SKU: doc.Find(".sku").Text(), Price: price}, links
}

// transportTo dials one address whatever the URL's host.
func transportTo(addr string) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, addr)
		},
	}
}

func syntheticSeed(host int) string { return fmt.Sprintf("http://h%d.example/p/0.html", host) }

func number(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}

// check ends a peer; it never runs in a test's own process.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
