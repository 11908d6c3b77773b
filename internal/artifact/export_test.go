package artifact

import "os"

// WithFaults returns a copy of the store that asks before it syncs and names files. An answer that is an error is what the
// step returns.
func (s *Store) WithFaults(sync func(path string) error, rename func(from, to string) error) *Store {
	c := &Store{dir: s.dir, sync: s.sync, rename: s.rename}
	c.sync = func(f *os.File) error {
		if err := sync(f.Name()); err != nil {
			return err
		}
		return s.sync(f)
	}
	c.rename = func(from, to string) error {
		if err := rename(from, to); err != nil {
			return err
		}
		return s.rename(from, to)
	}
	return c
}
