// Package content has the extractors for what people read on a page: "page", the
// page as a whole, and "table", the rows of its tables.
//
// page gives one record for every HTML page. It is what a crawl with outputs and
// without extract rules uses.
//
// table makes a record of every row, by the table model of HTML: cells that span
// rows or columns count in each of them, nested tables are tables of their own.
// Tables that only lay out a page (role="presentation") are left out, and so are
// footers. A cell keeps its unit.
//
// Both bound what one page can cost: nodes visited, columns, records.
package content
