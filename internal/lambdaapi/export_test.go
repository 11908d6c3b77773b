package lambdaapi

import "os"

// ParseName is parseName.
func ParseName(text string) (name, qualifier string, err error) { return parseName(text) }

// AppName is appName.
func AppName(name string) string { return appName(name) }

// Allows is allows.
func Allows(list []string, value string) bool { return allows(list, value) }

// Merge is merge.
func Merge(root *os.Root, from, to string) error { return merge(root, from, to) }
