package report

import (
	"strings"

	"github.com/amblecrawl/amble/crawler/config"
)

// Given are the flags of a run that the commands to be run next need as well: without
// them they would be about another run.
type Given struct {
	State          string // the folder that was named, "" for the config's
	Set            []string
	Record, Replay string
	Summary, Trace string
	Accept         bool
	SkipDamaged    bool
}

// run is the command that runs the crawl as it was run. An unfinished run goes on; a
// replay begins anew.
func (g *Given) run(file string) string {
	words := []string{"amble run", word(file)}
	for _, f := range []struct{ name, value string }{
		{"--state", g.State}, {"--record", g.Record}, {"--replay", g.Replay}, {"--summary", g.Summary}, {"--trace", g.Trace},
	} {
		if f.value != "" {
			words = append(words, f.name, word(f.value))
		}
	}
	if g.SkipDamaged {
		words = append(words, "--skip-damaged")
	}
	if g.Accept {
		words = append(words, "--accept-drift")
	}
	return strings.Join(append(words, g.overrides()...), " ")
}

// does says what the command does; a replay never goes on, but begins anew.
func (g *Given) does(resumed string) string {
	if g.Replay != "" {
		return "    replays it again, from its beginning"
	}
	return "    " + resumed
}

// about is a command about what the run has left in its state.
func (r *Report) about(command string, arguments ...string) string {
	words := []string{"amble", command, word(r.Config)}
	for _, a := range arguments {
		words = append(words, word(a))
	}
	switch g := &r.Given; {
	case g.Replay != "":
		words = append(words, "--state", word(r.Folder))
	case g.State != "":
		words = append(words, "--state", word(g.State))
	}
	return strings.Join(append(words, r.Given.overrides()...), " ")
}

// try is the command that looks at a page by the run's config.
func (r *Report) try(url string) string {
	return strings.Join(append([]string{"amble try", word(r.Config), word(url)}, r.Given.overrides()...), " ")
}

func (g *Given) overrides() []string {
	var words []string
	for _, set := range g.Set {
		words = append(words, "--set", word(config.WithoutSecret(set)))
	}
	return words
}

// plain are the characters that mean nothing to a shell, anywhere in a word.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%"

// word is a word as a shell takes it.
func word(text string) string {
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
