package local

// RestAfter is how long nothing may have ended.
const RestAfter = restAfter

// NewRest returns what notes that something ended, and what forgets it.
func NewRest(free func()) (ended, forget func()) {
	r := &rest{free: free}
	return r.ended, r.close
}
