package cmd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/fixtures"
)

// exampleFiles are what the configs of the documentation read.
var exampleFiles = map[string]string{
	"shop.db":          "",
	"cities.csv":       "id,name,city,lang,country\n1,Kyiv,Kyiv,en,ua\n",
	"towns.csv":        "id,name\n1,Kyiv\n",
	"customers.csv":    "id,name,city\n1,me,Kyiv\n",
	"orders.jsonl":     `{"id": 1, "customer": "me", "lang": "en"}` + "\n",
	"book.schema.json": `{"type": "object"}`,
	"urls.txt":         "https://books.example/\n",
}

// docExample is a fenced config of a page, with what the page leaves out.
type docExample struct {
	file string // its page and line
	text string
}

var topLevel = regexp.MustCompile(`(?m)^([a-z_]+):`)

// docExamples are the configs of a page. A part of one, with some of its keys, is
// completed by the others that it needs.
func docExamples(t *testing.T, page string) (found []docExample) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range regexp.MustCompile("(?ms)^```ya?ml\n(.*?)^```$").FindAllStringSubmatchIndex(string(text), -1) {
		example := string(text[at[2]:at[3]])
		var keys []string
		for _, m := range topLevel.FindAllStringSubmatch(example, -1) {
			keys = append(keys, m[1])
		}
		if len(keys) == 0 {
			continue // a comment, or a part within a key
		}
		for _, part := range exampleParts {
			if key, _, _ := strings.Cut(part.text, ":"); !slices.Contains(keys, key) && (part.page == "" || part.page == filepath.Base(page)) {
				example += part.text
			}
		}
		line := 1 + strings.Count(string(text[:at[2]]), "\n")
		found = append(found, docExample{fmt.Sprintf("%s.%d.yaml", filepath.Base(page), line), example})
	}
	return found
}

// exampleParts complete the parts of configs, on one page or on all.
var exampleParts = []struct{ page, text string }{
	{"aggregate.md", "extract: {order: {plugin: json, fields: {day: $.day, country: $.country, total: $.total, created: $.created}}}\n"},
	{"databases.md", `connections: {shop: {url: "sqlite:shop.db"}}
queries:
  orders_by_day: {connection: shop, sql: "select * from orders where day = :day", params: {day: date}}
  orders_between: {connection: shop, sql: "select * from orders where id >= :first and id < :before", params: {first: integer, before: integer}}
  orders_of_shop: {connection: shop, sql: "select * from orders where region = :region and shop = :shop", params: {region: text, shop: text}}
  shops: {connection: shop, sql: "select distinct shop from orders"}
`},
	{"", "seeds: [https://books.example/]\n"},
}

// Every config in the documentation, and every part of one, is one that amble takes.
func TestDocumentedConfigs(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range exampleFiles {
		write(name, text)
	}
	cert, key := pemPair(t)
	for _, name := range []string{"company.pem", "me.pem"} {
		write(name, cert)
	}
	write("me.key", key)
	variable := regexp.MustCompile(`\$\{([A-Z][A-Z0-9_]*)`)
	var env []string
	args := []string{"lint"}
	for _, page := range append(pages, "../README.md") {
		for _, e := range docExamples(t, page) {
			for _, m := range variable.FindAllStringSubmatch(e.text, -1) {
				value := "x"
				if m[1] == "HOOK" || m[1] == "CHAT" {
					value = "https://hooks.example/x"
				}
				env = append(env, m[1]+"="+value)
			}
			write(e.file, e.text)
			args = append(args, e.file)
		}
	}
	if len(args) < 35 {
		t.Errorf("only %d configs were found", len(args)-1)
	}
	if out, err := ambleIn(t, dir, env, args...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// pemPair is a certificate, which is its own authority, and its key.
func pemPair(t *testing.T) (cert, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, own.Public(), own)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// The crawl of the README gives the books of the site, as it stands there but for
// https, which the site of the tests has not, and the delay.
func TestReadmeCrawl(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, config, _ := between(t, string(text), "## A crawl\n\n```yaml\n", "```\n")
	config = strings.NewReplacer("https://books.example", "http://books.example", "delay: 1s", "delay: 1ms").Replace(config)
	c := newFixtureCrawl(t, config+"\nfetch:\n  allow_private: true\n", fixtures.Options{Hosts: []string{"books.example"}})
	said := c.run(t)
	var got, want []string
	for _, line := range c.lines(t, "book.jsonl") {
		var r struct {
			Title string
			Price float64
			Stock int
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.Title, r.Price, r.Stock))
	}
	golden, err := os.ReadFile("../fixtures/golden/books.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(golden)) {
		var r struct {
			Title string
			Price float64
			Stock int
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(r.Title, r.Price, r.Stock))
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) < 100 || !slices.Equal(got, want) {
		t.Errorf("%d books, want %d\n%s", len(got), len(want), said)
	}
}
