package fetch

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/amblecrawl/amble/crawler"
)

// One text for every encoding of the matrix, of our own making and long
// enough for statistics to mean something.
var texts = map[string]string{
	"utf-8":        "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Наш сайт — 我们的网站。",
	"utf-16le":     "Zwölf Boxkämpfer jagen Viktor. Наш сайт открыт. 我们的网站。",
	"utf-16be":     "Zwölf Boxkämpfer jagen Viktor. Наш сайт открыт. 我们的网站。",
	"windows-1252": "Le café où nous étions allés l’année dernière est fermé depuis le début de l’été. La propriétaire, âgée de quatre-vingts ans, préfère désormais rester chez elle à écrire des poèmes et à préparer des gâteaux pour ses petits-enfants, qui viennent la voir après l’école.",
	"windows-1251": "Сегодня утром мы пришли в старую библиотеку, чтобы найти книги по истории нашего города. Библиотекарь рассказала нам, что многие из них были написаны больше ста лет назад и что их можно читать только в этом зале. Мы остались там до самого вечера.",
	"shift_jis":    "今日は天気がとても良いので、友達と一緒に公園へ行きました。そこで新しい本を読みながら、お茶を飲んで、ゆっくりと時間を過ごしました。夕方になると風が少し冷たくなってきたので、家に帰ることにしました。また来週も行きたいと思います。",
	"euc-kr":       "오늘 아침에 우리는 오래된 도서관에 가서 우리 도시의 역사에 관한 책을 찾았습니다. 사서는 그 중에서 많은 책이 백 년 전에 쓰여졌으며 이 방에서만 읽을 수 있다고 말했습니다. 우리는 저녁까지 그 곳에 있었고 다음 주에 다시 가기로 했습니다.",
	"gb18030":      "今天早上我们去了一个古老的图书馆，想找一些关于我们城市历史的书。图书馆的管理员告诉我们，其中很多书是一百多年前写的，只能在这个房间里阅读。我们在那里一直待到晚上，并且决定下个星期再来看一看。",
	"big5":         "今天早上我們去了一個古老的圖書館，想找一些關於我們城市歷史的書。圖書館的管理員告訴我們，其中很多書是一百多年前寫的，只能在這個房間裡閱讀。我們在那裡一直待到晚上，並且決定下個星期再來看一看。",
}

func inCharset(t testing.TB, text, name string) []byte {
	t.Helper()
	enc, _ := charset.Lookup(name)
	b, err := enc.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

var marks = map[string]string{"utf-8": "\xef\xbb\xbf", "utf-16le": "\xff\xfe", "utf-16be": "\xfe\xff"}

// Every way of saying the encoding, and saying nothing, for every encoding.
func TestCharsetMatrix(t *testing.T) {
	var contentType string
	var body []byte
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write(body)
	})
	c := newClient(t)
	check := func(how, name, want string) {
		t.Helper()
		resp := mustGet(t, c, base, crawler.FetchOptions{})
		if string(resp.Body) != want || resp.Charset != name {
			t.Errorf("%s, by %s: got %s %.60q", name, how, resp.Charset, resp.Body)
		}
		raw := mustGet(t, c, base, crawler.FetchOptions{Raw: true})
		if string(raw.Body) != string(body) || raw.Charset != "" {
			t.Errorf("%s, by %s: raw bytes were changed", name, how)
		}
	}
	for name, text := range texts {
		page := "<!doctype html><title>t</title><p>" + text
		contentType, body = "text/html; charset="+strings.ToUpper(name), inCharset(t, page, name)
		check("header", name, page)

		if mark := marks[name]; mark != "" {
			contentType, body = "text/html; charset=windows-1252", append([]byte(mark), inCharset(t, page, name)...)
			check("byte order mark", name, page)
		}
		if !strings.HasPrefix(name, "utf-16") {
			for _, declaration := range []string{
				"<meta charset=" + name + ">",
				"<html><head><META content='text/html; charset=" + name + "' http-equiv=Content-Type>",
				"<!-- <meta charset=ibm866> --><script>'<meta charset=ibm866>'</script><meta charset=nonsense><meta charset=" + name + ">",
			} {
				page := declaration + page
				contentType, body = "text/html", inCharset(t, page, name)
				check(declaration, name, page)
			}
			contentType, body = "text/html", inCharset(t, page, name)
			check("content", name, page)
			contentType, body = "text/plain", inCharset(t, text, name)
			check("content of plain text", name, text)
		}
		feed := fmt.Sprintf("<?xml version='1.0' encoding='%s'?><t>%s</t>", name, text)
		contentType, body = "application/rss+xml", inCharset(t, feed, name)
		check("XML declaration", name, feed)
	}
}

func TestWrongCharsets(t *testing.T) {
	german := "Grüße aus Köln, schöne Fußgängerzone"
	for _, tt := range []struct {
		name, media, declared string
		body                  string
		want, charset         string
	}{
		{"latin declared, UTF-8 sent", "text/html", "iso-8859-1", german, german, "utf-8"},
		{"latin declared and sent", "text/html", "latin1", "caf\xe9", "café", "windows-1252"},
		{"UTF-8 declared, latin sent", "text/html", "utf-8", "caf\xe9 ol\xe9 d\xe9j\xe0 vu", "café olé déjà vu", "windows-1252"},
		{"UTF-8 with one bad byte", "text/html", "utf-8", german + "\xff!", german + "\uFFFD!", "utf-8"},
		{"undeclared UTF-8 with one bad byte", "text/html", "", german + "\xff!", german + "\uFFFD!", "utf-8"},
		{"undeclared UTF-8 cut within a character", "text/plain", "", german + "\xe2\x82", german + "\uFFFD", "utf-8"},
		{"undeclared Latin with a pair that is UTF-8", "text/plain", "", "d\xe9j\xe0 vu \xc3\xa9 na\xefve", "déjà vu Ã© naïve", "windows-1252"},
		{"UTF-8 cut within a character", "text/html", "utf-8", german + "\xe2\x82", german + "\uFFFD", "utf-8"},
		{"UTF-16 declared, ASCII sent", "text/html", "utf-16", "<p>plain", "<p>plain", "utf-8"},
		{"UTF-16 in a meta", "text/html", "", "<meta charset=utf-16><p>" + german, "<meta charset=utf-16><p>" + german, "utf-8"},
		{"the header over the meta", "text/html", "koi8-r", "<meta charset=windows-1252>\xc1", "<meta charset=windows-1252>а", "koi8-r"},
		{"an unknown label", "text/html", "klingon", german, german, "utf-8"},
		{"a replaced encoding", "text/html", "hz-gb-2312", german, german, "utf-8"},
		{"MySQL's name", "text/html", "utf8mb4", german, german, "utf-8"},
		{"a mark over a meta", "text/html", "", "\xef\xbb\xbf<meta charset=big5>" + german, "<meta charset=big5>" + german, "utf-8"},
		{"escape sequences", "text/plain", "iso-2022-jp", "\x1b$B$\"\x1b(B", "あ", "iso-2022-jp"},
		{"an odd byte of UTF-16", "text/plain", "utf-16be", "\x00a\x00b\x00", "ab\uFFFD", "utf-16be"},
		{"JSON", "application/ld+json", "", `"` + german + `"`, `"` + german + `"`, "utf-8"},
		{"a word of Latin", "text/plain", "", "na\xefve", "naïve", "windows-1252"},
		{"nothing", "text/plain", "", "", "", "utf-8"},
		{"nothing, declared", "text/plain", "big5", "", "", "big5"},
	} {
		got, name := toUTF8([]byte(tt.body), tt.media, tt.declared)
		if string(got) != tt.want || name != tt.charset {
			t.Errorf("%s: got %s %q, want %s %q", tt.name, name, got, tt.charset, tt.want)
		}
	}
}

// A text with control characters in it was not read rightly.
func TestReadable(t *testing.T) {
	for sample, want := range map[string]bool{"caf\xe9": true, "\x8d\xa1\x93\xfa\x82\xcd\x93V\x8bC\x82\xaa\x82\xc6\x82": false} {
		if got := readable([]byte(sample), charmap.Windows1252); got != want {
			t.Errorf("%q: got %v", sample, got)
		}
	}
	if !readable([]byte("\x8d\xa1\x93\xfa\x93"), japanese.ShiftJIS) {
		t.Error("a character cut at the end of the sample counts against it")
	}
}

// Four-byte characters are what GB18030 has over GBK.
func TestGB18030FourBytes(t *testing.T) {
	want := "𠮷野家"
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := toUTF8(b, "text/plain", "gb18030"); string(got) != want {
		t.Errorf("got %q", got)
	}
}

func TestMediaTypes(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	for _, tt := range []struct{ contentType, body, media, declared string }{
		{"text/html", "", "text/html", ""},
		{"TEXT/HTML; Charset=UTF-8", "", "text/html", "UTF-8"},
		{`text/html;charset="koi8-r"; x=y`, "", "text/html", "koi8-r"},
		{"text/html; charset=utf-8; charset=big5", "", "text/html", "utf-8"},
		{"text/html;; charset = 'big5' ", "", "text/html", "big5"},
		{"application/pdf", "<!doctype html>", "application/pdf", ""},
		{"", "<!doctype html><p>x", "text/html", ""},
		{"", png, "image/png", ""},
		{"", "", "text/plain", ""},
		{"application/octet-stream", `<?xml version="1.0"?><rss version="2.0"></rss>`, "application/rss+xml", ""},
		{"html", "<html><body>", "text/html", ""},
		{"text/ht ml", "<html><body>", "text/html", ""},
		{"image/", png, "image/png", ""},
		{"application/octet-stream", "\x00\x01\x02\x03", "application/octet-stream", ""},
	} {
		media, declared := mediaType(tt.contentType, []byte(tt.body))
		if media != tt.media || declared != tt.declared {
			t.Errorf("%q: got %q %q, want %q %q", tt.contentType, media, declared, tt.media, tt.declared)
		}
	}
}

// What is no text stays as it is, whatever charset it claims.
func TestBinaryIsUntouched(t *testing.T) {
	body := "\x89PNG\r\n\x1a\n\xff\xfe\x00"
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png; charset=iso-8859-1")
		w.Write([]byte(body))
	})
	resp := mustGet(t, newClient(t), base, crawler.FetchOptions{})
	if string(resp.Body) != body || resp.Charset != "" || resp.MediaType != "image/png" {
		t.Errorf("got %q %q %q", resp.Body, resp.Charset, resp.MediaType)
	}
}

func FuzzToUTF8(f *testing.F) {
	for name, text := range texts {
		f.Add(inCharset(f, text, name), "text/html", name)
		f.Add(inCharset(f, text, name), "text/html", "")
	}
	f.Add([]byte("<?xml encoding='utf-16'?>"), "application/xml", "")
	f.Add([]byte("<meta http-equiv=content-type content='charset=\"'>\xff"), "text/html", "")
	f.Fuzz(func(t *testing.T, body []byte, media, declared string) {
		got, name := toUTF8(body, media, declared)
		if !utf8.Valid(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		if enc, _ := charset.Lookup(name); enc == nil {
			t.Fatalf("no encoding is called %q", name)
		}
		if len(got) > 3*len(body)+8 {
			t.Fatalf("%d bytes became %d", len(body), len(got))
		}
	})
}
