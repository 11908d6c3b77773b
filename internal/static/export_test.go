package static

import "net/http"

// Used returns how many bytes the cache of a handler holds.
func Used(h http.Handler) int64 {
	c := h.(*handler).cache
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}
