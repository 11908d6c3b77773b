//go:build race

package hostile_test

// The race detector makes a program several times as slow and as large.
const (
	floodBytes  = 256 << 20
	floodMemory = 1 << 30
	manyApps    = 8
)
