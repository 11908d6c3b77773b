package hostile_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestStopWithOpenStream: a stream that nobody ends does not keep the server from ending its apps in peace: the stream is
// cut after the drain time, and the app gets SIGTERM and time to say goodbye.
func TestStopWithOpenStream(t *testing.T) {
	t.Parallel()
	s := newShop(t, "drain: 1s\n")
	s.Serve(t)
	s.Up(t, s.dir)
	request, err := s.Request(t.Context(), http.MethodGet, url+"/events", "")
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	s.Stop()
	if _, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Error("the stream was ended, not cut, though its app did not end it")
	}
	log := s.Log()
	s.Serve(t)
	if said, _, err := s.Run(s.dir, "logs", "--stage", "production"); err != nil || !strings.Contains(said, "goodbye") {
		t.Errorf("the app was killed without a word: %v\n%s", err, said)
	}
	if strings.Contains(log, "not all ended in peace") {
		t.Errorf("the server says:\n%s", log)
	}
}
