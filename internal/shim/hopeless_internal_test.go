package shim

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestHopelessIsNotForEver: between invocations Lambda freezes the environment: a server that is started again gets time only
// while a request waits for it. A request that is refused at once leaves it none, so that three ends in a row make an environment answer
// 502 for as long as it lives.
func TestHopelessIsNotForEver(t *testing.T) {
	t.Parallel()
	c := newChild(&settings{}, nil, nil, nil)
	c.set(state{why: errors.New("the server ended"), failures: hopeless})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	go func() {
		time.Sleep(10 * time.Millisecond) // it starts, which takes processor time that only a waiting request gives
		c.set(state{addr: place("127.0.0.1:1"), failures: hopeless, since: time.Now()})
	}()
	if _, _, err := c.address(ctx); err != nil {
		t.Errorf("the request did not wait for the start under way: %v", err)
	}
}
