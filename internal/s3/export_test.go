package s3

import "time"

// SetTerms makes locks of a store end and be looked at sooner.
func (s *Store) SetTerms(life, poll time.Duration) { s.terms.life, s.terms.poll = life, poll }
