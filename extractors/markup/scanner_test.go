package markup

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// pages are seeds of odd markup for the fuzz targets.
var pages = []string{
	"", "<", "</", "<!", "<!-", "<!--", "a<b", "a<b>c</b >d", "<A HREF='x&amp;y' Href=z class=\"a\rb\">", "<br/><br / ><br a=/><br a=x a=/><p a/>",
	"<!doctype html>x<!DOCTYPE", "<!doct>", "<?xml version='1.0'?>", "</ x>", "</>", "</\xff", "<![CDATA[a]]b]]>c", "<![CDATA[a", "<!>", "<!-->a", "<!--->a", "<!--a--!>b", "<!--a--!-->b",
	"<!--a--", "<!--a--!", "<!----!x-->", "<!--a>b-->c", "<script>a<b</script >c", "<script><!--<script>a</script>b--></script>c", "<script><!--<x</script>", "<script><!-- < --></script>",
	"<script><!--<scriptx></script>", "<script><!--<script/</script/-</script>", "<script><!--<script>--></script>", "<script><!--->a</script>", "<script></scrip</script", "<script/>a</script>", "<SCRIPT>a</sCript\n>",
	"<title>a&amp;b</titlex></title>c", "<textarea>\r\n&lt;</textarea>", "<style>a<b</style>", "<plaintext>a</plaintext>", "<xmp><b></xmp>", "<noscript><a href=x></noscript>",
	"<a =b=c>", "<a ==>", "<a b = 'c' d>", "<a b='c", "<a b=\"c\"d=e>", "<a b=>", "<a b= c>", "<a/b/c>", "<a\x00b c\x00=d\x00>", "\x00a\x00", "<a b=&copy=1 c=&copy; d='&copyx' e=&#x41 f=&#0 g=&>", "<a b=&amp;&#38;&#38 c=&am\">",
	"<a b=\"x'&notit;\">", "<svg><title><a></title><![CDATA[x]]></svg>", "a\r\nb\rc&nbsp;&#13;", "<a B=1 b=2>", "<x-y z>", "<\u212a>", "</A\x00>",
}

type token struct {
	kind Kind
	name string
	text string
	attr []html.Attribute
	self bool
}

// FuzzScannerAgreesWithTokenizer holds that a Scanner gives what the library's
// tokenizer gives, whatever it is told about raw text and CDATA sections.
func FuzzScannerAgreesWithTokenizer(f *testing.F) {
	for _, p := range pages {
		for how := range byte(4) {
			f.Add([]byte(p), how)
		}
	}
	f.Fuzz(func(t *testing.T, page []byte, how byte) {
		cooked, cdata := how&1 != 0, how&2 != 0
		if len(page) > 2*maxAttributes {
			return // not all of it may be read
		}
		got, want := scanned(page, cooked, cdata), tokenized(page, cooked, cdata)
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
				t.Fatalf("%q, token %d:\n got %+v\nwant %+v", page, i, got, want)
			}
		}
	})
}

func scanned(page []byte, cooked, cdata bool) (all []token) {
	s := Scan(page)
	for {
		s.AllowCDATA(cdata)
		k := s.Next()
		switch k {
		case End:
			return all
		case Text, Comment:
			all = append(all, token{kind: k, text: s.Text()})
		case Doctype:
			all = append(all, token{kind: k})
		case EndTag:
			all = append(all, token{kind: k, name: string(s.Name())})
		case StartTag:
			all = append(all, token{k, string(s.Name()), "", s.Attributes(), s.SelfClosing()})
			if cooked {
				s.NextIsNotRawText()
			}
			for _, a := range s.Attributes() {
				if bytes.Contains(page, []byte{0}) {
					break
				}
				if v, ok := s.Attr(a.Key); !ok || v != a.Val {
					panic(fmt.Sprintf("attribute %q is %q, %v, not %q", a.Key, v, ok, a.Val))
				}
			}
		}
	}
}

func tokenized(page []byte, cooked, cdata bool) (all []token) {
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		z.AllowCDATA(cdata)
		kind := z.Next()
		switch tok := z.Token(); kind {
		case html.ErrorToken:
			return all
		case html.TextToken:
			all = append(all, token{kind: Text, text: tok.Data})
		case html.CommentToken:
			all = append(all, token{kind: Comment, text: tok.Data})
		case html.DoctypeToken:
			all = append(all, token{kind: Doctype})
		case html.EndTagToken:
			all = append(all, token{kind: EndTag, name: tok.Data})
		default:
			all = append(all, token{StartTag, tok.Data, "", tok.Attr, kind == html.SelfClosingTagToken})
			if cooked {
				z.NextIsNotRawText()
			}
		}
	}
}

// Of very many attributes the first ones are read, and what looks at the page as a
// whole leaves it to the parser.
func TestAttributesAreBounded(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d=%d", i, i)
		}
		return b.String()
	}
	for _, n := range []int{maxAttributes, maxAttributes + 1, 100_000} {
		for _, end := range []string{"", " /", " b=/"} {
			page := []byte("<svg" + many(n) + end + "><p href=x>")
			s, got := Scan(page), n+strings.Count(end, "b")
			if s.Next(); len(s.Attributes()) != min(got, maxAttributes) || s.Cut() != (got > maxAttributes) || s.SelfClosing() != (end == " /") {
				t.Errorf("of %d attributes before %q %d were read, %v, %v", n, end, len(s.Attributes()), s.Cut(), s.SelfClosing())
			}
			if s.Next(); string(s.Name()) != "p" || len(s.Attributes()) != 1 {
				t.Errorf("after %d attributes comes %q", n, s.Name())
			}
			if _, ok := quick(page); ok && got > maxAttributes {
				t.Errorf("a tree was made of %d attributes", got)
			}
		}
	}
}
