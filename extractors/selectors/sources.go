package selectors

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/andybalholm/cascadia"

	"github.com/amblecrawl/amble/extractors/query"
)

// source is a compiled Source.
type source struct {
	finder
	attr    string
	regex   *regexp.Regexp
	group   int      // of the regex, 0 for the whole match
	named   []string // the groups that make an object, by number; empty for none
	carried string
	page    bool
	bare    bool // the selector is all there is to it: an element counts though it is empty
}

func (c *compiler) source(s Source, path []string) source {
	out := source{finder: c.finder(s.Selector, s.Attr, path...), attr: strings.ToLower(s.Attr), carried: s.Carried, page: s.From == "page"}
	if out.query != nil {
		out.attr = "" // it holds the JSON
	}
	out.bare = s.Attr == "" && s.Regex == "" && s.Carried == ""
	switch {
	case s.Carried != "" && (!s.Selector.empty() || s.Attr != ""):
		c.wrong.add("keep one of the two", "carried excludes a selector", below(path, "carried")...)
	case s.Carried == "" && s.JSONPath == "" && s.JQ == "":
		c.tree = true // also where the text of the record's own element is meant
	}
	if s.From != "" && s.From != "page" {
		c.wrong.add("", fmt.Sprintf("from: %q is not page", s.From), below(path, "from")...)
	}
	c.regex(&out, s, path)
	return out
}

func (c *compiler) regex(out *source, s Source, path []string) {
	if s.Regex == "" {
		if s.Group != "" {
			c.wrong.add("add a regex, or remove group", "group belongs to a regex", below(path, "group")...)
		}
		return
	}
	re, err := regexp.Compile(s.Regex)
	if err != nil {
		c.wrong.add("the syntax is RE2: no look-around, no back-references",
			fmt.Sprintf("the regular expression does not compile: %v", err), below(path, "regex")...)
		return
	}
	out.regex, out.group = re, min(1, re.NumSubexp())
	if s.Group == "" {
		named := 0
		for _, name := range re.SubexpNames() {
			if name != "" {
				named++
			}
		}
		if named > 1 {
			out.named = re.SubexpNames()
		}
		return
	}
	out.group = re.SubexpIndex(s.Group)
	if n, err := strconv.Atoi(s.Group); err == nil && n >= 0 && n <= re.NumSubexp() {
		out.group = n
	}
	if out.group < 0 {
		c.wrong.add(fmt.Sprintf("it has %d", re.NumSubexp()), fmt.Sprintf("the regular expression has no group %q", s.Group), below(path, "group")...)
	}
}

// finder compiles a selector; attr is what holds the JSON for a query.
func (c *compiler) finder(s Selector, attr string, path ...string) finder {
	var f finder
	if s.CSS != "" && s.XPath != "" {
		c.wrong.add("keep one of the two", "css and xpath exclude each other", below(path, "xpath")...)
	}
	if s.CSS != "" {
		match, err := cascadia.ParseGroup(s.CSS)
		if err != nil {
			c.wrong.add(cssHint(s.CSS), fmt.Sprintf("the CSS selector does not compile: %v", err), below(path, "css")...)
		}
		f.css, f.wide = match, strings.ContainsAny(s.CSS, ":~")
	}
	if s.XPath != "" {
		x, err := compileXPath(s.XPath)
		if err != nil {
			c.wrong.add(xpathHint(s.XPath), fmt.Sprintf("the XPath does not compile: %v", err), below(path, "xpath")...)
		}
		f.xpath = x
	}
	c.tree = c.tree || s.CSS != "" || s.XPath != ""
	f.query = c.query(s, path)
	if f.query != nil {
		f.attr = strings.ToLower(attr)
		c.json = c.json || s.CSS == "" && s.XPath == ""
	}
	return f
}

func (c *compiler) query(s Selector, path []string) *query.Query {
	if s.JSONPath != "" && s.JQ != "" {
		c.wrong.add("keep one of the two", "jsonpath and jq exclude each other", below(path, "jq")...)
	}
	if s.JSONPath != "" {
		q, err := query.JSONPath(s.JSONPath)
		if err != nil {
			hint := ""
			if strings.HasPrefix(s.JSONPath, ".") {
				hint = "this looks like jq: use the key jq"
			} else if !strings.HasPrefix(s.JSONPath, "$") {
				hint = "a JSONPath begins with $"
			}
			c.wrong.add(hint, fmt.Sprintf("the JSONPath does not compile: %v", err), below(path, "jsonpath")...)
		}
		return q
	}
	if s.JQ == "" {
		return nil
	}
	q, err := query.JQ(s.JQ)
	if err != nil {
		c.wrong.add("", fmt.Sprintf("the jq program does not compile: %v", err), below(path, "jq")...)
	}
	return q
}

func cssHint(css string) string {
	switch {
	case strings.Contains(css, "::attr("):
		return "the attribute goes into a key of its own, as in attr: href"
	case strings.Contains(css, "::text"):
		return "leave out ::text: text is what a field takes by itself"
	case strings.HasPrefix(css, "/"), strings.HasPrefix(css, "./"):
		return "this looks like XPath: use the key xpath"
	case strings.HasPrefix(css, "$"):
		return "this looks like JSONPath: use the key jsonpath"
	}
	return ""
}

func xpathHint(xpath string) string {
	if len(xpath) > 1 && (xpath[0] == '#' || xpath[0] == '.' && xpath[1] != '/' && xpath[1] != '.') {
		return "this looks like CSS: use the key css"
	}
	return ""
}
