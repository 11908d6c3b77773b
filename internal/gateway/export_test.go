package gateway

// Inspect runs pieces of what a connection read through framing and returns what the server gets.
func Inspect(pieces ...[]byte) []byte {
	var f framing
	var out []byte
	for _, p := range pieces {
		f.inspect(p)
		out = append(out, p...)
	}
	return out
}

// Retiring reports whether g has begun to retire.
func Retiring(g *Gateway) bool { return g.retiring.Load() }
