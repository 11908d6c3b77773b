//go:build race

package shim_test

// raced says that this test binary finds data races.
const raced = true
