package static

// Used returns how many bytes the cache of a handler holds.
func Used(h *Handler) int64 {
	c := h.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}
