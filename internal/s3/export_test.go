package s3

import "time"

// SetTerms makes locks of a store end and be looked at sooner.
func (s *Store) SetTerms(life, poll time.Duration) { s.terms.life, s.terms.poll = life, poll }

// SetWall puts a clock in place of this machine's that goes on while it sleeps.
func (s *Store) SetWall(clock func() time.Time) { s.terms.wall = clock }

// SetParts makes uploads of more than large bytes go in parts of a size.
func (o *Objects) SetParts(large, size int64) { o.large, o.part = large, size }
