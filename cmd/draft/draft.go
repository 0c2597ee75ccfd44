package draft

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/survey"
)

// draft is a config in the making, as a person would write it.
type draft struct {
	url     urls.URL
	name    string
	agent   string
	contact string
	private bool // the URL names an address that must be allowed

	told  []string // remarks at its head
	seeds []draftSeed
	pages int // scope.max_pages

	links    []draftLink
	linksOff bool
	rules    []draftRule
}

// draftSeed is an entry of seeds. One that is off is written as a comment.
type draftSeed struct {
	url     string
	sitemap bool
	off     bool
	note    string
}

type draftLink struct{ css, attr, note string }

// draftRule is a record type with its extractor: a plugin with options, or
// selectors.
type draftRule struct {
	kind    string
	match   survey.Match
	plugin  string
	options []draftOption
	each    string
	fields  []survey.Field
	note    string
	unseen  bool // its pages have not been looked at
	found   int  // records on the pages that have
}

type draftOption struct{ key, value string }

func newDraft(u urls.URL, agent, contact string) *draft {
	return &draft{url: u, name: draftName(u), agent: agent, contact: contact, private: isPrivate(u), pages: 100}
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// draftName names a crawl by the host: books.example is books.
func draftName(u urls.URL) string {
	host := strings.TrimPrefix(u.Hostname(), "www.")
	if first, rest, ok := strings.Cut(host, "."); ok && strings.Trim(first, "0123456789") != "" && rest != "" {
		host = first
	}
	if name := strings.Trim(notInNames.ReplaceAllString(host, "-"), "-."); name != "" {
		return name
	}
	return "crawl"
}

// String is the config's text.
func (d *draft) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by amble init %s\n", format.OneLine(d.url.Redacted(), 200))
	for _, t := range d.told {
		fmt.Fprintf(&b, "# %s\n", format.OneLine(t, 200))
	}
	b.WriteString("#\n# How to go on: amble try CONFIG URL shows what one page gives, with --watch again\n" +
		"# each time you save; amble plan CONFIG tells how long it takes; amble run CONFIG\n" +
		"# runs it, and again goes on where it was.\n")
	fmt.Fprintf(&b, "name: %s\n", scalar(d.name))
	d.writeSeeds(&b)
	fmt.Fprintf(&b, "scope:\n  max_pages: %d               # a trial: raise it, or remove it, once the records are right\n", d.pages)
	d.writeLinks(&b)
	d.writePoliteness(&b)
	if d.private {
		b.WriteString("fetch:\n  allow_private: true          # the address is not a public one\n")
	}
	b.WriteString("extract:\n")
	for i := range d.rules {
		d.rules[i].write(&b)
	}
	b.WriteString("output:\n  - jsonl: out/{type}.jsonl\n  # - csv: out/{type}.csv\n")
	return b.String()
}

func (d *draft) writeSeeds(b *strings.Builder) {
	b.WriteString("seeds:\n")
	for _, s := range d.seeds {
		off, kind := "", ""
		if s.off {
			off = "# "
		}
		if s.sitemap {
			kind = "sitemap: "
		}
		line(b, fmt.Sprintf("  %s- %s%s", off, kind, scalar(s.url)), s.note, 0)
	}
}

func (d *draft) writeLinks(b *strings.Builder) {
	switch {
	case len(d.links) > 0:
		b.WriteString("links:                         # what to follow; without this key all links on the host\n")
		for _, l := range d.links {
			text := "  - css: " + scalar(l.css)
			if l.attr != "" {
				text = fmt.Sprintf("  - {css: %s, attr: %s}", scalar(l.css), l.attr)
			}
			line(b, text, l.note, 0)
		}
	case d.linksOff:
		b.WriteString("links: false                   # only the seeds; remove this line to follow all links on the host\n")
	}
}

func (d *draft) writePoliteness(b *strings.Builder) {
	fmt.Fprintf(b, "politeness:\n  agent: %s\n", scalar(d.agent))
	if d.contact != "" {
		fmt.Fprintf(b, "  contact: %s\n", scalar(d.contact))
	} else {
		b.WriteString("  # contact: https://you.example/bot   # so that the site's operators can reach you\n")
	}
	b.WriteString("  delay: 1s                    # after each answer, before the next request to the host\n")
}

func (r *draftRule) write(b *strings.Builder) {
	if r.note != "" {
		fmt.Fprintf(b, "  # %s\n", format.OneLine(r.note, 200))
	}
	if len(r.fields) == 0 && len(r.options) == 0 && r.match == (survey.Match{}) {
		fmt.Fprintf(b, "  %s: {plugin: %s}\n", scalar(r.kind), r.plugin)
		return
	}
	fmt.Fprintf(b, "  %s:\n", scalar(r.kind))
	switch {
	case r.match.Regex != "":
		fmt.Fprintf(b, "    match: {regex: %s}\n", scalar(r.match.Regex))
	case r.match.Glob != "":
		fmt.Fprintf(b, "    match: %s\n", scalar(r.match.Glob))
	}
	if r.plugin != "" {
		fmt.Fprintf(b, "    plugin: %s\n", r.plugin)
	}
	for _, o := range r.options {
		value := o.value
		if !strings.HasPrefix(value, "\n") {
			value = " " + value
		}
		fmt.Fprintf(b, "    %s:%s\n", o.key, value)
	}
	if r.each != "" {
		fmt.Fprintf(b, "    each: %s\n", scalar(r.each))
	}
	if len(r.fields) > 0 {
		r.writeFields(b)
	}
}

// writeFields writes the fields with what each gave beside it.
func (r *draftRule) writeFields(b *strings.Builder) {
	b.WriteString("    fields:\n")
	lines, width := make([]string, len(r.fields)), 0
	for i, f := range r.fields {
		lines[i] = "      " + scalar(f.Name) + ": " + fieldText(f)
		if n := len([]rune(lines[i])); n > width && n <= 88 {
			width = n
		}
	}
	for i, f := range r.fields {
		line(b, lines[i], format.Clip(f.Sample, 48), width)
	}
}

// fieldText is a field's value: a mapping in one line, or only its selector.
func fieldText(f survey.Field) string {
	var keys []string
	put := func(key, value string) { keys = append(keys, key+": "+value) }
	switch {
	case f.XPath != "":
		put("xpath", scalar(f.XPath))
	case f.CSS != "":
		put("css", scalar(f.CSS))
	}
	if f.Attr != "" {
		put("attr", scalar(f.Attr))
	}
	if f.Regex != "" {
		put("regex", scalar(f.Regex))
	}
	if f.As != "" {
		put("as", f.As)
	}
	if f.All {
		put("all", "true")
	}
	if f.Required {
		put("required", "true")
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

// line writes a line with a remark behind it, at a column where there is one.
func line(b *strings.Builder, text, remark string, column int) {
	b.WriteString(text)
	if remark = format.OneLine(remark, 100); remark != "" {
		b.WriteString(strings.Repeat(" ", max(3, column-len([]rune(text))+3)) + "# " + remark)
	}
	b.WriteByte('\n')
}

var (
	plainYAML = regexp.MustCompile(`^[A-Za-z.][A-Za-z0-9_.>/-]*(?: [A-Za-z0-9_.>/-]+)*$|^/[A-Za-z0-9_./*-]*$|^https?://[A-Za-z0-9_.~/%=&:-]+$|^[\pL_][\pL\pN_]*$|^\$\.[A-Za-z0-9_.]+$`)
	wordsYAML = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|null|y|n|~|\.inf|\.nan)$`)
)

// scalar is a text as a scalar of YAML, in quotes where it needs them.
func scalar(s string) string {
	s = strings.ReplaceAll(s, "${", "$${")
	if plainYAML.MatchString(s) && !wordsYAML.MatchString(s) {
		return s
	}
	if strings.ContainsFunc(s, unicode.IsControl) || strings.Contains(s, "'") && !strings.ContainsAny(s, `"\`) {
		return fmt.Sprintf("%q", s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// parseDraft reads a config that was made here. A mistake in it is ours.
func parseDraft(name, text string, set []string) (*config.Config, error) {
	cfg, found := config.Parse(name, []byte(text), config.Options{Env: os.LookupEnv, Set: set})
	if found.Failed() {
		for _, d := range found {
			if d.File == "--set" || strings.HasPrefix(d.Message, "politeness.") {
				return nil, exit.With(exit.Config, errors.New(d.String()))
			}
		}
		first := slices.IndexFunc(found, func(d config.Diagnostic) bool { return !d.Warning })
		return nil, fmt.Errorf("the config that was made does not lint: %s", found[first].String())
	}
	return cfg, nil
}

// isPrivate reports whether a URL names an address that configs must allow.
func isPrivate(u urls.URL) bool {
	host := strings.TrimSuffix(u.Hostname(), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && (a.Unmap().IsLoopback() || a.Unmap().IsPrivate() || a.Unmap().IsLinkLocalUnicast())
}
