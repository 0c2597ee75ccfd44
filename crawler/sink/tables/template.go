package tables

import (
	"fmt"
	"regexp"

	"github.com/amblecrawl/amble/crawler"
)

var brace = regexp.MustCompile(`\{[^{}]*\}?|\}`)

// CheckTemplate reports a template for names of tables that cannot be one, as a
// *crawler.ConfigError at the key "table".
func CheckTemplate(template string) error {
	bad := func(msg, hint string) error {
		return &crawler.ConfigError{Path: []string{"table"}, Msg: msg, Hint: hint}
	}
	if template == "" {
		return bad("no table is given", `"{type}" is a table for each record type`)
	}
	for _, found := range brace.FindAllString(template, -1) {
		if found != "{type}" {
			return bad(fmt.Sprintf("%q holds %s", template, found), "there is {type}")
		}
	}
	return nil
}
