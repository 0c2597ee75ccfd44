// Package standard is what the standard distribution is compiled with: its plugins,
// which register themselves, and the time zones of crawl windows and dates, for machines
// that have none. It has nothing to call: import it for that.
package standard

import (
	_ "time/tzdata"

	_ "github.com/amblecrawl/amble/crawler/sink"
	_ "github.com/amblecrawl/amble/crawler/sink/blob"
	_ "github.com/amblecrawl/amble/crawler/sink/parquet"
	_ "github.com/amblecrawl/amble/crawler/sink/postgres"
	_ "github.com/amblecrawl/amble/crawler/sink/sqlite"
	_ "github.com/amblecrawl/amble/crawler/sink/webhook"
	_ "github.com/amblecrawl/amble/extractors/article"
	_ "github.com/amblecrawl/amble/extractors/content"
	_ "github.com/amblecrawl/amble/extractors/feeds"
	_ "github.com/amblecrawl/amble/extractors/metadata"
	_ "github.com/amblecrawl/amble/extractors/pdf"
	_ "github.com/amblecrawl/amble/extractors/selectors"
	_ "github.com/amblecrawl/amble/extractors/structured"
	_ "github.com/amblecrawl/amble/extractors/xmldoc"
)
