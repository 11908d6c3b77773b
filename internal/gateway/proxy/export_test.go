package proxy

import "bufio"

// What the fuzz tests reach for.
var (
	ValidHost = validHost
)

// ReadResponse reads a response head and returns its status and fields.
func ReadResponse(r *bufio.Reader, limit int) (status int, fields [][2]string, err error) {
	head, err := readHead(r, nil, limit)
	if err != nil {
		return 0, nil, err
	}
	res, list, err := parseResponse(string(head), nil)
	for _, f := range list {
		fields = append(fields, [2]string{f.key, f.value})
	}
	return res.status, fields, err
}

// Frames reports whether the bytes end at the end of a WebSocket frame.
func Frames(pieces ...[]byte) bool {
	var f frames
	for _, p := range pieces {
		f.feed(p)
	}
	return f.boundary()
}
