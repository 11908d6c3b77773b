package hostile_test

import "os"

// full reports whether the goals are to be run at their full size: ALOFT_HOSTILE=full, as the make targets G1 … set it. What
// is then missed fails the test; the small runs of `go test` assert only what a busy machine cannot spoil.
func full() bool { return os.Getenv("ALOFT_HOSTILE") == "full" }

// scaled is one of two sizes.
func scaled[T any](whole, small T) T {
	if full() {
		return whole
	}
	return small
}
