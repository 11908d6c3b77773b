package shim

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// TestPump: what was written before a drain is out after it, whoever passed it on, and in order.
func TestPump(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p, server, err := newPump(&output{w: &out, tail: &tail{}})
	if err != nil {
		t.Fatal(err)
	}
	go p.run()
	want := ""
	for i := range 2000 {
		line := fmt.Sprintf("line %d\n", i)
		want += line
		if _, err := server.WriteString(line); err != nil {
			t.Fatal(err)
		}
		p.drain()
		p.mu.Lock()
		got := out.Len()
		p.mu.Unlock()
		if got != len(want) {
			t.Fatalf("after line %d there are %d bytes of %d", i, got, len(want))
		}
	}
	_ = server.Close()
	p.end(context.Background())
	p.drain() // it is closed: nothing happens
	if out.String() != want {
		t.Error("the lines are not in order")
	}
}
