package config

import "strings"

// WithoutSecret is an override as it may be shown: the value of a key that is named like
// a secret, and is none of the environment, is left out.
func WithoutSecret(set string) string {
	path, value, _ := strings.Cut(set, "=")
	literal := strings.Trim(reference.ReplaceAllString(value, ""), ` "'`)
	if literal == "" || !hintsAtSecret(path) && !hintsAtSecret(value) {
		return set
	}
	return path + "=..."
}

// hintsAtSecret reports whether a text names something that is kept to oneself.
func hintsAtSecret(text string) bool {
	text = strings.ToLower(text)
	for _, word := range []string{"pass", "secret", "token", "key", "auth", "bearer", "cookie", "pwd", "pin:"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
