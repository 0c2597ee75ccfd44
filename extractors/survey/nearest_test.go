package survey

import "testing"

func TestNearest(t *testing.T) {
	root := tree(t, `<main id=shop><div class=product><h2 class=product-title>A</h2><span class=price_color>1 €</span><p class=author>by</p></div></main>`)
	for css, want := range map[string]string{
		".price_colour":      ".price_color",
		".product .autor":    ".product .author",
		".price":             ".price_color",
		"#shopp .author":     "#shop .author",
		".offer .author":     ".author",
		".list > .author":    ".author",
		".author":            "", // it finds something
		".something-else":    "",
		"div[":               "",
		".products .titles ": ".product .product-title",
	} {
		if got := Nearest(root, css); got != want {
			t.Errorf("Nearest(%q) is %q, want %q", css, got, want)
		}
	}
	if got := ByText(root, " 1  € "); got != ".price_color" {
		t.Errorf("ByText gives %q", got)
	}
	if got := ByText(root, "nothing"); got != "" {
		t.Errorf("ByText gives %q for a text that is not there", got)
	}
}
