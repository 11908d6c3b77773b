package artifact

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// inflaters hands out decompressors and takes them back: making one costs as much as inflating a small file.
type inflaters struct{ free sync.Pool }

func (p *inflaters) open(r io.Reader) io.ReadCloser {
	s, ok := p.free.Get().(*inflateState)
	if !ok {
		in := bufio.NewReader(r)
		return &inflater{pool: p, state: &inflateState{in: in, out: flate.NewReader(in)}}
	}
	s.in.Reset(r)
	resetter, ok := s.out.(flate.Resetter)
	if !ok || resetter.Reset(s.in, nil) != nil {
		s.out = flate.NewReader(s.in)
	}
	return &inflater{pool: p, state: s}
}

// inflateState is what is costly to make.
type inflateState struct {
	in  *bufio.Reader
	out io.ReadCloser
}

// inflater inflates one file. It is of no use once it is closed: its state may serve another file by then.
type inflater struct {
	pool  *inflaters
	state *inflateState // nil once closed
}

var errClosed = errors.New("read after close")

func (i *inflater) Read(b []byte) (int, error) {
	if i.state == nil {
		return 0, errClosed
	}
	return i.state.out.Read(b)
}

func (i *inflater) Close() error {
	if i.state == nil {
		return nil
	}
	s := i.state
	i.state = nil
	if err := s.out.Close(); err != nil { // a state that met damage is not used again
		return fmt.Errorf("inflate: %w", err)
	}
	i.pool.free.Put(s)
	return nil
}
