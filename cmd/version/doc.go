// Package version says which amble this is.
package version
