package signals

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// TDMRep is a site's /.well-known/tdmrep.json (TDM Reservation Protocol, W3C
// Community Group Final Report of 10 May 2024, "TDM File on the Origin
// Server"). It is immutable; a nil TDMRep says nothing.
type TDMRep struct{ rules []tdmRule }

type tdmRule struct {
	pattern pattern
	said    Statement
}

// maxTDMRules bounds the rules of a file.
const maxTDMRules = 1024

const tdmFile = "TDMRep, tdmrep.json"

var (
	errNoArray  = errors.New("not a JSON array of rules")
	errNoObject = errors.New("not a JSON object")
	errTwice    = errors.New("a property is there twice")
)

// ParseTDMRep reads the body of a tdmrep.json, at most MaxSize octets of it.
// Whether there is such a file is for the caller to say, by the status and
// content type of the answer: a body given here is taken for one.
//
// A rule that cannot be read reserves every page that no rule before it is
// about, and so does the place where the file stops being readable.
func ParseTDMRep(body []byte) *TDMRep {
	t := &TDMRep{}
	if len(body) > MaxSize {
		body = body[:MaxSize]
	}
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return t.reserveRest(errNoArray)
	}
	for dec.More() {
		if len(t.rules) == maxTDMRules {
			return t.reserveRest(fmt.Errorf("more than %d rules", maxTDMRules))
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return t.reserveRest(errNoArray)
		}
		if !t.add(raw) {
			return t // nothing behind a rule for every page can count
		}
	}
	if _, err := dec.Token(); err != nil {
		return t.reserveRest(errNoArray)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return t.reserveRest(errors.New("more than one JSON value"))
	}
	return t
}

// UnreadableTDMRep stands for a file that could not be had, though there may be
// one: it reserves every page, for that reason.
func UnreadableTDMRep(problem string) *TDMRep {
	p, _ := newPattern("/")
	return &TDMRep{rules: []tdmRule{{p, Statement{
		Category: CategoryTDM, Allow: Denied, Source: tdmFile, Problem: shown(problem, maxText),
	}}}}
}

// reserveRest ends the rules with one that reserves what they leave open.
func (t *TDMRep) reserveRest(problem error) *TDMRep {
	p, _ := newPattern("/")
	source := fmt.Sprintf("%s rule %d", tdmFile, len(t.rules)+1)
	t.rules = append(t.rules, tdmRule{p, Statement{
		Category: CategoryTDM, Allow: Denied, Source: source, Problem: problem.Error(),
	}})
	return t
}

// add reads one rule; it returns false after one that could not be read.
func (t *TDMRep) add(raw json.RawMessage) bool {
	properties, err := propertiesOf(raw)
	if err != nil {
		t.reserveRest(err)
		return false
	}
	var location, policy string
	if json.Unmarshal(properties["location"], &location) != nil {
		t.reserveRest(errors.New("a rule without a location"))
		return false
	}
	p, ok := newPattern(location)
	if !ok {
		t.reserveRest(errors.New(quoted(location) + " is no path that can be read"))
		return false
	}
	problem := ""
	if given := properties["tdm-policy"]; given != nil && json.Unmarshal(given, &policy) != nil {
		problem = "tdm-policy is no text"
	}
	s := reservation(string(properties["tdm-reservation"]), policy, fmt.Sprintf("%s rule %d", tdmFile, len(t.rules)+1))
	if s.Problem == "" {
		s.Problem = problem
	}
	t.rules = append(t.rules, tdmRule{p, s})
	return true
}

// propertiesOf reads the properties of an object by their exact names, each at
// most once.
func propertiesOf(raw json.RawMessage) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, errNoObject
	}
	out := map[string]json.RawMessage{}
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, errNoObject
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil, errNoObject
		}
		if _, again := out[name]; again {
			return nil, errTwice
		}
		out[name] = value
	}
	return out, nil
}

// reservation reads a value of tdm-reservation: 1 reserves, 0 does not, and
// anything else, to which the protocol gives no meaning, reserves too.
func reservation(value, policy, source string) Statement {
	s := Statement{Category: CategoryTDM, Allow: Denied, Source: source}
	s.Text = "tdm-reservation: " + shown(value, maxName)
	if policy != "" {
		s.Text = shown(s.Text+", tdm-policy: "+policy, maxText)
	}
	switch strings.TrimFunc(value, blank) {
	case "0":
		s.Allow = Allowed
	case "1":
	case "":
		s.Text = shown(strings.TrimPrefix(s.Text, "tdm-reservation: , "), maxText)
		s.Problem = "tdm-reservation is missing"
	default:
		s.Problem = quoted(value) + " is neither 0 nor 1"
	}
	return s
}

// For returns what the file says about a page, given by the path and query of
// its URL or by its whole URL: the first rule that matches counts.
func (t *TDMRep) For(path string) []Statement {
	if t == nil || len(t.rules) == 0 {
		return nil
	}
	path = pathOf(path)
	for i := range t.rules {
		if t.rules[i].pattern.matches(path) {
			return []Statement{t.rules[i].said}
		}
	}
	return nil
}

// Size estimates the memory it takes, in octets.
func (t *TDMRep) Size() int {
	if t == nil {
		return 0
	}
	size := 32
	for i := range t.rules {
		r := &t.rules[i]
		size += 64 + r.pattern.octets + 16*len(r.pattern.parts) + sizeOf([]Statement{r.said})
	}
	return size
}

// tdmHeader reads the fields tdm-reservation and tdm-policy ("TDM Header Field
// in HTTP Responses"). A policy alone reserves: it says there are terms.
func tdmHeader(header http.Header) []Statement {
	return tdmPair(header.Values("Tdm-Reservation"), header.Values("Tdm-Policy"), "TDMRep, header")
}

// tdmMetas reads the meta elements of these names ("TDM Metadata in HTML
// Content").
func tdmMetas(metas []Meta) []Statement {
	var values, policies []string
	for _, m := range metas {
		switch name := strings.TrimFunc(m.Name, blank); {
		case strings.EqualFold(name, "tdm-reservation"):
			values = append(values, m.Content)
		case strings.EqualFold(name, "tdm-policy"):
			policies = append(policies, m.Content)
		}
	}
	return tdmPair(values, policies, "TDMRep, meta")
}

func tdmPair(values, policies []string, source string) []Statement {
	var policy string
	if len(policies) > 0 {
		policy = strings.TrimFunc(policies[0], blank)
	}
	if len(values) == 0 && policy == "" {
		return nil
	}
	if len(values) == 0 {
		return []Statement{reservation("", policy, source)}
	}
	var out []Statement
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			if len(out) == maxStatements {
				return append(out, unreadable(source, one, "too many values"))
			}
			out = append(out, reservation(one, policy, source))
		}
	}
	return out
}
