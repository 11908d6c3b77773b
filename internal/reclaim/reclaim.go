// Package reclaim gives what a process at rest does not need back to the system: free memory of Go's heap, and the pages of
// the program's own file that only its start needed. It does not decide when that is.
package reclaim

import "runtime/debug"

// Memory collects garbage and gives back what it can. It takes some milliseconds of processor time, and whoever needs pages
// of the program next waits for the kernel to map them again, from its cache: a microsecond or so each.
func Memory() {
	debug.FreeOSMemory()
	leaveProgram()
}
