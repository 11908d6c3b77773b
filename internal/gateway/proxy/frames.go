package proxy

// frames follows the WebSocket frames of one direction (RFC 6455 section 5.2).
type frames struct {
	head [14]byte // of the frame that begins
	have int
	left uint64 // bytes of payload to come
}

func (f *frames) boundary() bool { return f.have == 0 && f.left == 0 }

func (f *frames) feed(p []byte) {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(uint64(len(p)), f.left)
			f.left -= n
			p = p[n:]
			continue
		}
		f.head[f.have] = p[0]
		f.have++
		p = p[1:]
		if f.have == f.size() {
			f.left = f.payload()
			f.have = 0
		}
	}
}

// size is the length of the head as far as it is known.
func (f *frames) size() int {
	if f.have < 2 {
		return 2
	}
	size := 2
	switch f.head[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if f.head[1]&0x80 != 0 { // a mask, which servers must not use
		size += 4
	}
	return size
}

func (f *frames) payload() uint64 {
	switch n := f.head[1] & 0x7f; n {
	case 126:
		return uint64(f.head[2])<<8 | uint64(f.head[3])
	case 127:
		var v uint64
		for _, b := range f.head[2:10] {
			v = v<<8 | uint64(b)
		}
		return v
	default:
		return uint64(n)
	}
}
