//go:build linux

package reclaim

import "os"

// Leave gives back the pages of a file.
func Leave(path string) error { return leave(path) }

// Pure counts the mappings of a file that are as the file is.
func Pure(path string) (n int, err error) {
	all, err := own()
	for _, m := range all {
		if m.path == path && m.isPure() {
			n++
		}
	}
	return n, err
}

// Resident says how many kB are resident of the mapping that begins at from; -1 if there is none.
func Resident(from uintptr) (int, error) {
	all, err := own()
	for _, m := range all {
		if m.from == from {
			return m.kB, err
		}
	}
	return -1, err
}

func own() ([]mapping, error) {
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return mappings(file)
}
