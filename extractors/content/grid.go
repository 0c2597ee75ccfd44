package content

import (
	"fmt"
	"strconv"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

// The bounds of one table. The spans are those of HTML, "attributes common to td
// and th elements".
const (
	maxColumns    = 1_000
	maxColspan    = 1_000
	maxRowspan    = 65_534
	maxHeaderRows = 10
)

// grid is a table as the table model of HTML forms it, a row at a time.
type grid struct {
	work    *work
	maxRows int

	caption string
	rows    []row
	width   int
	cut     bool // there are more rows

	growing []spanning // by column
}

// spanning is a cell that goes on into the rows below.
type spanning struct {
	left int // rows
	cell *cell
}

type cell struct {
	text   string
	header bool
	wide   bool // spans columns
}

// row is the cells of one row by column; nil where there is none.
type row struct {
	cells []*cell
	thead bool
}

func (r row) text(column int) string {
	if column >= len(r.cells) || r.cells[column] == nil {
		return ""
	}
	return r.cells[column].text
}

func (r row) allHeaders() bool {
	for _, c := range r.cells {
		if c != nil && !c.header {
			return false
		}
	}
	return len(r.cells) > 0
}

func (g *grid) read(table *html.Node) error {
	for c := table.FirstChild; c != nil && !g.cut; c = c.NextSibling {
		var err error
		switch c.DataAtom {
		case atom.Caption:
			if g.caption == "" {
				g.caption, err = g.cellText(c)
			}
		case atom.Thead, atom.Tbody:
			err = g.group(c)
		case atom.Tr: // the parser puts rows into a tbody, but scripts need not
			err = g.row(c, false, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// group reads the rows of a thead or tbody. No cell grows beyond it.
func (g *grid) group(group *html.Node) error {
	left := 0
	for c := group.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Tr {
			left++
		}
	}
	g.growing = g.growing[:0]
	for c := group.FirstChild; c != nil && !g.cut; c = c.NextSibling {
		if c.DataAtom != atom.Tr {
			continue
		}
		if err := g.row(c, group.DataAtom == atom.Thead, left); err != nil {
			return err
		}
		left--
	}
	g.growing = g.growing[:0]
	return nil
}

func (g *grid) row(tr *html.Node, thead bool, left int) error {
	if len(g.rows) == g.maxRows {
		g.cut = true
		return nil
	}
	r := row{thead: thead}
	column := 0
	grown := func() { // cells from above come first
		for column < len(g.growing) && g.growing[column].left > 0 {
			g.growing[column].left--
			r.set(column, g.growing[column].cell)
			column++
		}
	}
	for c := tr.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom != atom.Td && c.DataAtom != atom.Th || c.Type != html.ElementNode {
			continue
		}
		grown()
		text, err := g.cellText(c)
		if err != nil {
			return err
		}
		across := span(c, "colspan", 1, maxColspan)
		down := span(c, "rowspan", 0, maxRowspan)
		if down == 0 { // to the end of the group
			down = max(1, left)
		}
		x := &cell{text: text, header: c.DataAtom == atom.Th, wide: across > 1}
		for i := 0; i < across && column < maxColumns; i++ {
			if err := g.work.step(1); err != nil {
				return err
			}
			r.set(column, x)
			if down > 1 {
				g.grow(column, spanning{left: down - 1, cell: x})
			}
			column++
			if column < len(g.growing) && g.growing[column].left > 0 && i+1 < across {
				g.growing[column].left = 0 // cells overlap: the later one wins
			}
		}
	}
	for column < len(g.growing) {
		grown()
		column++
	}
	g.width = max(g.width, len(r.cells))
	g.rows = append(g.rows, r)
	return nil
}

func (r *row) set(column int, c *cell) {
	for len(r.cells) <= column {
		r.cells = append(r.cells, nil)
	}
	r.cells[column] = c
}

func (g *grid) grow(column int, s spanning) {
	for len(g.growing) <= column {
		g.growing = append(g.growing, spanning{})
	}
	g.growing[column] = s
}

// span reads an attribute by HTML's rules for non-negative integers.
func span(n *html.Node, key string, least, most int) int {
	v, err := strconv.Atoi(attribute(n, key))
	switch {
	case err != nil || v < least:
		return 1
	case v > most:
		return most
	}
	return v
}

// headerRows counts the rows at the top that name the columns: those of a thead,
// or else those made of th alone, or else the first when it begins with one and
// has no other cells that hold data of their own row.
func (g *grid) headerRows() int {
	n := 0
	for n < len(g.rows) && n < maxHeaderRows && g.rows[n].thead {
		n++
	}
	if n > 0 {
		return n
	}
	for n < len(g.rows) && n < maxHeaderRows && g.rows[n].allHeaders() {
		n++
	}
	if n == len(g.rows) { // a table of nothing but headers names no columns
		return min(1, n)
	}
	if n == 0 && g.cornered() {
		return 1
	}
	return n
}

// cornered tells a first row whose corner is an empty td and the rest th.
func (g *grid) cornered() bool {
	if len(g.rows) < 2 || len(g.rows[0].cells) < 2 {
		return false
	}
	for i, c := range g.rows[0].cells {
		if c == nil || !c.header && (i > 0 || c.text != "") {
			return false
		}
	}
	return true
}

// cellText is the text of a cell without the tables in it.
func (g *grid) cellText(n *html.Node) (string, error) {
	if !g.nested(n) {
		return values.Text(n, g.work.step)
	}
	bare, err := g.without(n, 0)
	if err != nil {
		return "", err
	}
	return values.Text(bare, g.work.step)
}

func (g *grid) nested(n *html.Node) bool {
	for c := values.Following(n, n, true); c != nil; c = values.Following(c, n, true) {
		if c.DataAtom == atom.Table {
			return true
		}
		if g.work.step(1) != nil {
			return false // the caller's next step says so
		}
	}
	return false
}

// without copies a tree without its tables.
func (g *grid) without(n *html.Node, depth int) (*html.Node, error) {
	if err := g.work.step(1); err != nil {
		return nil, err
	}
	if depth > 512 {
		return nil, fmt.Errorf("a table's cell is nested too deep")
	}
	out := &html.Node{Type: n.Type, DataAtom: n.DataAtom, Data: n.Data, Namespace: n.Namespace}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Table {
			continue
		}
		copied, err := g.without(c, depth+1)
		if err != nil {
			return nil, err
		}
		out.AppendChild(copied)
	}
	return out, nil
}
