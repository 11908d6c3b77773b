package gateway

import (
	"bytes"
	"strconv"
)

// framing follows the framing of the HTTP/1 requests on a connection, ahead of net/http, which is more lenient than a proxy
// may be: it takes a request with both Content-Length and Transfer-Encoding, from which another server in the chain could
// read two. What it objects to it makes unreadable, so that net/http itself answers 400, in its turn, and closes.
type framing struct {
	state   framingState
	partial []byte // of a line that a read cut
	begun   bool   // the request line was seen
	old     bool   // HTTP/1.0
	chunked bool
	sized   bool
	upgrade bool  // to WebSocket
	left    int64 // of the body or the chunk
}

type framingState uint8

const (
	inHead framingState = iota
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	inTunnel // another protocol: nothing to look at
	inRuins  // objected to
)

const maxLine = 64 << 10

// inspect looks at bytes just read and may spoil them.
func (f *framing) inspect(p []byte) {
	for len(p) > 0 {
		switch f.state {
		case inTunnel:
			return
		case inRuins:
			for i := range p {
				if p[i] != '\n' { // or the server would wait for the end of the line
					p[i] = 0
				}
			}
			return
		case inBody, inChunk:
			n := min(f.left, int64(len(p)))
			f.left -= n
			p = p[n:]
			if f.left == 0 {
				f.bodyRead()
			}
		default:
			p = f.readLine(p)
		}
	}
}

func (f *framing) bodyRead() {
	if f.state == inChunk {
		f.state = inChunkEnd
	} else {
		f.next()
	}
}

// next waits for another request.
func (f *framing) next() { *f = framing{partial: f.partial[:0]} }

// readLine takes a line, or what there is of it, and returns what follows.
func (f *framing) readLine(p []byte) []byte {
	line, rest, whole := bytes.Cut(p, []byte{'\n'})
	if !whole {
		f.partial = append(f.partial, p...)
		if len(f.partial) > maxLine {
			f.state = inRuins
		}
		return nil
	}
	if len(f.partial) > 0 {
		f.partial = append(f.partial, line...)
		line = f.partial
	}
	if !f.line(line) {
		f.state = inRuins
	}
	f.partial = f.partial[:0]
	return rest
}

// line reports whether a line is acceptable where it stands.
func (f *framing) line(line []byte) bool {
	bare := true
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line, bare = line[:n-1], false
	}
	switch f.state {
	case inChunkSize:
		return !bare && f.chunkSize(line)
	case inChunkEnd:
		f.state = inChunkSize
		return !bare && len(line) == 0
	case inTrailer:
		if len(line) == 0 {
			f.next()
		}
		return true
	default:
		return f.headLine(line)
	}
}

func (f *framing) headLine(line []byte) bool {
	switch {
	case !f.begun:
		f.begun = true
		f.old = bytes.HasSuffix(line, []byte(" HTTP/1.0"))
		return true
	case len(line) == 0:
		return f.headRead()
	}
	switch line[0] | 0x20 {
	case ' ', '\t' | 0x20: // a folded line, or a control byte
		return false
	case 't', 'c', 'u':
		name, value, _ := bytes.Cut(line, []byte{':'})
		return f.field(name, bytes.Trim(value, " \t"))
	}
	return true
}

func (f *framing) field(name, value []byte) bool {
	switch {
	case bytes.EqualFold(name, []byte("transfer-encoding")):
		again := f.chunked
		f.chunked = true
		return !again && !f.sized && !f.old && bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("content-length")):
		n, err := strconv.ParseUint(string(value), 10, 62)
		again := f.sized
		f.sized, f.left = true, int64(n)
		return err == nil && !again && !f.chunked
	case bytes.EqualFold(name, []byte("upgrade")) && bytes.EqualFold(value, []byte("websocket")):
		f.upgrade = true
	}
	return true
}

func (f *framing) headRead() bool {
	switch {
	case f.upgrade:
		f.state = inTunnel
	case f.chunked:
		f.state = inChunkSize
	case f.left > 0:
		f.state = inBody
	default:
		f.next()
	}
	return true
}

func (f *framing) chunkSize(line []byte) bool {
	size, _, _ := bytes.Cut(line, []byte{';'})
	n, err := strconv.ParseUint(string(bytes.TrimRight(size, " \t")), 16, 62)
	if err != nil {
		return false
	}
	f.left, f.state = int64(n), inChunk
	if n == 0 {
		f.state = inTrailer
	}
	return true
}
