package proxy

import "sync"

const (
	// smallBuffer is what one copies with whose other side may take long: there may be thousands of them.
	smallBuffer = 16 << 10
	// largeBuffer is for request bodies, once their client has shown that it delivers.
	largeBuffer = 32 << 10
	// hugeBuffer is for those that go on delivering, for as many as hugeUploads at once: fewer, larger reads and writes take
	// less of the processor, and 128 KB for everybody would be too much.
	hugeBuffer  = 128 << 10
	hugeUploads = 64
)

func buffer(pool *sync.Pool, size int) *[]byte {
	if b, ok := pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, size)
	return &b
}

// upload is the buffer for a request body. It begins as that of the head, which was sent and has room by then, so that a client that
// sends a byte a second costs nothing more.
type upload struct {
	h     *Handler
	buf   []byte
	large *[]byte // buf, if it is larger
	huge  *[]byte // buf, if it is larger still
}

func (e *exchange) upload() *upload { return &upload{h: e.h, buf: e.head[:cap(e.head)]} }

// filled makes the buffer larger after a read that used all of it.
func (u *upload) filled() {
	switch {
	case u.large == nil:
		u.large = buffer(&u.h.large, largeBuffer)
		u.buf = *u.large
	case u.huge == nil && u.h.uploads.Add(1) <= hugeUploads:
		u.huge = buffer(&u.h.huge, hugeBuffer)
		u.buf = *u.huge
	case u.huge == nil:
		u.h.uploads.Add(-1)
	}
}

func (u *upload) free() {
	if u.large != nil {
		u.h.large.Put(u.large)
	}
	if u.huge != nil {
		u.h.huge.Put(u.huge)
		u.h.uploads.Add(-1)
	}
}
