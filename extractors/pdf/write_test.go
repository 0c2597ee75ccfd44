package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
)

// written is a PDF in the making: objects by their numbers, from 1.
type written struct {
	objects []string
	trailer string // what stands in the trailer besides Size and Root
}

// add adds an object and returns its number.
func (w *written) add(format string, args ...any) int {
	w.objects = append(w.objects, fmt.Sprintf(format, args...))
	return len(w.objects)
}

// stream adds a stream, compressed.
func (w *written) stream(dict, content string) int {
	data := deflated(content)
	return w.add("<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

func deflated(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

// file writes the document with a table of its objects, whose catalog is object 1.
func (w *written) file() string {
	var b strings.Builder
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(w.objects))
	for i, o := range w.objects {
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, w.trailer, table)
	return b.String()
}

// packed writes the document as PDF 1.5 has it: the objects that are no streams in
// an object stream, and the table in a stream too.
func (w *written) packed(extends string) string {
	var b, heads, bodies strings.Builder
	b.WriteString("%PDF-1.5\n")
	n := len(w.objects)
	type entry struct{ kind, a, b int }
	table := make([]entry, n+3)
	packed := 0
	for i, o := range w.objects {
		if strings.Contains(o, "stream\n") {
			table[i+1] = entry{1, b.Len(), 0}
			fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
			continue
		}
		table[i+1] = entry{2, n + 1, packed}
		fmt.Fprintf(&heads, "%d %d ", i+1, bodies.Len())
		bodies.WriteString(o + "\n")
		packed++
	}
	data := deflated(heads.String() + bodies.String())
	table[n+1] = entry{1, b.Len(), 0}
	fmt.Fprintf(&b, "%d 0 obj\n<< /Type /ObjStm /N %d /First %d %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n",
		n+1, packed, heads.Len(), extends, len(data), data)
	table[n+2] = entry{1, b.Len(), 0}
	var rows strings.Builder
	for _, e := range table {
		rows.Write([]byte{byte(e.kind), byte(e.a >> 16), byte(e.a >> 8), byte(e.a), byte(e.b)})
	}
	data = deflated(rows.String())
	start := b.Len()
	fmt.Fprintf(&b, "%d 0 obj\n<< /Type /XRef /Size %d /W [1 3 1] /Root 1 0 R %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n",
		n+2, n+3, w.trailer, len(data), data, start)
	return b.String()
}

// report is a document with a page for each text, in a plain font; a line of a text
// is a line of the page.
func report(catalog, info string, pages ...string) *written {
	w := &written{}
	w.add("<< /Type /Catalog /Pages 2 0 R %s >>", catalog)
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*i)
	}
	w.add("<< /Type /Pages /Kids [%s] /Count %d >>", kids.String(), len(pages))
	w.add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	for i, text := range pages {
		w.add("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", 5+2*i)
		w.stream("", shown(text))
	}
	if info != "" {
		w.trailer = fmt.Sprintf("/Info %d 0 R", w.add("<< %s >>", info))
	}
	return w
}

// shown are the operators that show text.
func shown(text string) string {
	var b strings.Builder
	b.WriteString("BT /F1 12 Tf 72 770 Td 16 TL\n")
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(&b, "(%s) Tj T*\n", strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(line))
	}
	b.WriteString("ET\n")
	return b.String()
}
