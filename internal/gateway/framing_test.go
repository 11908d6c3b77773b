package gateway_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/aloft-run/aloft/internal/gateway"
)

// FuzzFraming: how reads cut a stream does not change what is objected to, nothing is removed or added, and what was
// spoiled stays spoiled to the end.
func FuzzFraming(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x00Content-Length: x\r\n",
		"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "\n\n\n", "GET / HTTP/1.1\nContent-Length: 1\n\nx\n",
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		whole := gateway.Inspect(slices.Clone(data))
		var pieces [][]byte
		for p := range slices.Chunk(slices.Clone(data), int(size)+1) {
			pieces = append(pieces, p)
		}
		if cut := gateway.Inspect(pieces...); !bytes.Equal(cut, whole) {
			t.Fatalf("cut by %d: %q, whole %q", int(size)+1, cut, whole)
		}
		if len(whole) != len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(whole))
		}
		spoiled := false
		for i := range data {
			if whole[i] != data[i] {
				spoiled = true
			}
			if spoiled && whole[i] != 0 && whole[i] != '\n' {
				t.Fatalf("%q became %q", data, whole)
			}
		}
	})
}
