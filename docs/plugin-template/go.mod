module example.com/wordcount

go 1.26.0

require github.com/amblecrawl/amble v0.1.0

// For work beside a checkout of amble; drop this line for a released version.
// amble build does not read it.
replace github.com/amblecrawl/amble => ../..
