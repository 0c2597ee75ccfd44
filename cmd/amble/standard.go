package main

// The plugins of the standard distribution register themselves.
import (
	_ "github.com/amblecrawl/amble/crawler/sink"
	_ "github.com/amblecrawl/amble/extractors/selectors"
)
