// Command amble is a polite web crawler: it runs crawl configs, checks and
// explains them, and shows itself on a built-in web. The commands are in package
// cmd, so that a binary with more plugins can have them too (see amble build).
package main

import "github.com/amblecrawl/amble/cmd"

func main() { cmd.Main() }
