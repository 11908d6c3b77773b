//go:build !race

package hostile_test

const (
	floodBytes  = 1 << 30   // what the app prints, each way
	floodMemory = 200 << 20 // what the server may take more
	manyApps    = 50
)
