//go:build !linux && !darwin && !freebsd

package config

func mayWrite(string) error { return nil }
