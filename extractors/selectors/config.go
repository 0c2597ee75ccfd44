package selectors

// Selector picks elements of a page, or values of JSON: css and xpath find
// elements, jsonpath and jq values of a document that is JSON. With one of each,
// the document is the text of the elements.
type Selector struct {
	CSS      string `yaml:"css,scalar,omitempty" doc:"a CSS selector; alone it may stand in place of the mapping"`
	XPath    string `yaml:"xpath,omitempty" doc:"an XPath 1.0 expression; it may also yield an attribute, a string, a number or a boolean"`
	JSONPath string `yaml:"jsonpath,omitempty" doc:"a JSONPath (RFC 9535) into a page that is JSON, or into the text that css or xpath finds, such as a script of JSON"`
	JQ       string `yaml:"jq,omitempty" doc:"a jq program, in the same places as jsonpath"`
}

func (s *Selector) empty() bool { return *s == Selector{} }

// Source says where a text is found and which part of it counts.
type Source struct {
	Selector `yaml:",inline"`
	Attr     string `yaml:"attr,omitempty" doc:"take this attribute instead of the text"`
	Regex    string `yaml:"regex,omitempty" doc:"take the first group of this regular expression (RE2), or its whole match without a group"`
	Group    string `yaml:"group,omitempty" doc:"the group of the regex to take, by name or number"`
	Carried  string `yaml:"carried,omitempty" doc:"take the value that the link to this page carried under this name"`
	From     string `yaml:"from,omitempty" enum:"page" doc:"page looks in the whole page, not below the element of each"`
}

// Condition says when a rule or field applies. All that it names must hold.
type Condition struct {
	Source `yaml:",inline"`
	Field  string      `yaml:"field,omitempty" doc:"the value of this field of the record, one that stands above"`
	Equals []string    `yaml:"equals,omitempty" doc:"the value is one of these; without equals, above or below there must be one, or for css and xpath alone an element"`
	Above  *float64    `yaml:"above,omitempty" doc:"the value is a number above this"`
	Below  *float64    `yaml:"below,omitempty" doc:"the value is a number below this"`
	Not    *Condition  `yaml:"not,omitempty" doc:"this does not hold"`
	Any    []Condition `yaml:"any,omitempty" doc:"one of these holds"`
}

// Field is one field of a record: where its value is found and what it becomes.
type Field struct {
	Name     string `yaml:",key" doc:"the field's name in the record"`
	Selector `yaml:",inline"`
	Attr     string     `yaml:"attr,omitempty" doc:"take this attribute instead of the text"`
	Regex    string     `yaml:"regex,omitempty" doc:"take the first group of this regular expression (RE2), or its whole match without a group; several named groups make an object"`
	Group    string     `yaml:"group,omitempty" doc:"the group of the regex to take, by name or number"`
	Carried  string     `yaml:"carried,omitempty" doc:"take the value that the link to this page carried under this name"`
	From     string     `yaml:"from,omitempty" enum:"page" doc:"page looks in the whole page, not below the element of each"`
	Any      []Source   `yaml:"any,omitempty" doc:"alternatives, in place of a selector: the first that has a value counts"`
	Each     *Selector  `yaml:"each,omitempty" doc:"with fields: a list of objects, one per matching element"`
	Fields   []Field    `yaml:"fields,omitempty" doc:"the members of an object, which are looked for below what the field's selector finds"`
	As       string     `yaml:"as,omitempty" enum:"string,text,raw,html,markdown,integer,number,price,boolean,date,url,json" default:"string" doc:"the type of the value; string is the text with white space folded, text keeps its lines; without it, values of JSON and carried ones keep their own type"`
	Locale   string     `yaml:"locale,omitempty" doc:"how numbers, prices and dates are written there, such as de or en-GB; page takes what the page says of its language"`
	All      bool       `yaml:"all,omitempty" default:"false" doc:"take every value as a list, not the first one"`
	Required bool       `yaml:"required,omitempty" default:"false" doc:"drop the record when this field has no value"`
	Download bool       `yaml:"download,omitempty" default:"false" doc:"with as: url: what the value leads to is a file to keep (docs/downloads.md)"`
	Default  any        `yaml:"default,omitempty" doc:"the value where nothing is found"`
	When     *Condition `yaml:"when,omitempty" doc:"read the field only when this holds"`
}

func (f *Field) own() Source {
	return Source{Selector: f.Selector, Attr: f.Attr, Regex: f.Regex, Group: f.Group, Carried: f.Carried, From: f.From}
}
