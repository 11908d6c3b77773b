// Package porttest finds ports for servers of tests that are told where to listen.
package porttest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Free is a port of 127.0.0.1 on which nobody listens. No other test of this process gets it. It stays free until the server
// listens, and between two servers: it is below the ports that a system gives to outgoing connections and to listeners
// on port 0, and below those that aloft gives to instances.
func Free(t testing.TB) string {
	t.Helper()
	port, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Address is 127.0.0.1 with a port that is Free.
func Address(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", Free(t))
}

// Find is Free where there is no testing.TB.
func Find() (string, error) {
	const first, last, tries = 10000, 20000, 100
	var err error
	for range tries {
		port := first + rand.IntN(last-first)
		if _, is := given.LoadOrStore(port, true); is {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil { //nolint:noctx // at once
			return strconv.Itoa(port), l.Close()
		}
	}
	return "", fmt.Errorf("no port between %d and %d is free: %w", first, last, err)
}

// given has the ports that this process was told.
var given sync.Map
