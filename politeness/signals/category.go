package signals

import (
	"slices"
	"strings"
)

// The uses a statement can be about. See the package comment for the names
// each vocabulary has for them.
const (
	// CategoryAll is every use at once.
	CategoryAll = "all"
	// CategorySearch is a search index and the links and excerpts it answers with.
	CategorySearch = "search"
	// CategoryAIInput is input to a model at the time it answers.
	CategoryAIInput = "ai-input"
	// CategoryAITrain is the training of models.
	CategoryAITrain = "ai-train"
	// CategoryTDM is text and data mining as Directive (EU) 2019/790 means it.
	CategoryTDM = "tdm"
	// CategoryLicense is a licence whose terms must be read first.
	CategoryLicense = "license"
)

// categories in the order they are shown and decided in.
var categories = []string{
	CategoryAll, CategorySearch, CategoryAIInput, CategoryAITrain, CategoryTDM, CategoryLicense,
}

// Categories returns the uses a Policy can name.
func Categories() []string { return slices.Clone(categories[1:]) }

// otherNames are what the vocabularies call the categories elsewhere. The
// labels bots, all, train-genai and ai-output stood in draft-ietf-aipref-vocab
// up to its revision of October 2025 and are still published.
var otherNames = map[string]string{
	"ai-use":      CategoryAIInput,
	"ai-output":   CategoryAIInput,
	"train-ai":    CategoryAITrain,
	"train-genai": CategoryAITrain,
	"bots":        CategoryAll,
}

const maxName = 64

// categoryOf brings a stated name to ours. ok is false for what is no name.
func categoryOf(stated string) (category string, ok bool) {
	if stated == "" || len(stated) > maxName {
		return "", false
	}
	name := strings.ToLower(strings.ReplaceAll(stated, "_", "-"))
	for i := 0; i < len(name); i++ {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '*' {
			return "", false
		}
	}
	if ours, known := otherNames[name]; known {
		return ours, true
	}
	return strings.Clone(name), true
}

// holds reports whether one use is part of another, or is the same.
func holds(wide, use string) bool {
	return wide == use || wide == CategoryAll || wide == CategoryTDM && use == CategoryAITrain
}

func compareCategories(a, b string) int {
	i, j := slices.Index(categories, a), slices.Index(categories, b)
	if i >= 0 && j >= 0 {
		return i - j
	}
	if i >= 0 || j >= 0 {
		return j - i // those of ours, with an index from 0, before those without
	}
	return strings.Compare(a, b)
}
