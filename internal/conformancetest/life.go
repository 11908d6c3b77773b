package conformancetest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// stream asks for two lines between which the app waits.
func (s *suite) stream(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	const one, two = "data: one\n\n", "data: two\n\n"
	first := make([]byte, 100)
	n, err := response.Body.Read(first)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if s.Streams && string(first[:n]) != one {
		t.Errorf("the first line comes as %q", first[:n])
	}
	rest, err := io.ReadAll(response.Body)
	if err != nil || string(first[:n])+string(rest) != one+two || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("the stream is %q%q, %v, %v", first[:n], rest, response.Header, err)
	}
}

func (s *suite) environment(t *testing.T) {
	for name, want := range map[string]string{"GREETING": "true hello", "HOST": "true 127.0.0.1", "ALOFT_FUNCTION": "false ", "AWS_LAMBDA_RUNTIME_API": "false "} {
		if a := s.do(t, "GET", "/env/"+name, nil); string(a.body) != want {
			t.Errorf("%s is %q in the app", name, a.body)
		}
	}
	for _, name := range []string{"PORT", "PATH", "HOME", "TMPDIR"} {
		if a := s.do(t, "GET", "/env/"+name, nil); len(a.body) <= len("true ") || !strings.HasPrefix(string(a.body), "true ") {
			t.Errorf("%s is %q in the app", name, a.body)
		}
	}
	if a := s.do(t, "GET", "/dir", nil); !strings.HasPrefix(string(a.body), "data beside the program") {
		t.Errorf("the app's directory has %q", a.body)
	}
}

// broken asks for answers that are none.
func (s *suite) broken(t *testing.T) {
	if a := s.do(t, "GET", "/hangup", nil); a.StatusCode != http.StatusBadGateway {
		t.Errorf("a closed connection comes as %s %q", a.Status, a.body)
	}
	a, err := s.try(t, "GET", "/broken", nil)
	if err == nil && a.StatusCode < http.StatusInternalServerError {
		t.Errorf("half an answer comes as a whole one: %s %q", a.Status, a.body)
	}
	if seen := s.echo(t, "GET", "/after", nil); seen.Path != "/after" {
		t.Errorf("the next request reaches the app as %+v", seen)
	}
}

func (s *suite) timeout(t *testing.T) {
	if a := s.do(t, "GET", "/slow", nil); a.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("a request that takes too long is answered %s %q", a.Status, a.body)
	}
	eventually(t, "the app answers again", func() bool {
		a, err := s.try(t, "GET", "/after", nil)
		return err == nil && a.StatusCode == http.StatusOK
	})
}

func (s *suite) crash(t *testing.T) {
	if a := s.do(t, "GET", "/exit", nil); a.StatusCode != http.StatusBadGateway {
		t.Errorf("a request at which the app ends is answered %s %q", a.Status, a.body)
	}
	eventually(t, "the app runs again", func() bool {
		a, err := s.try(t, "GET", "/after", nil)
		return err == nil && a.StatusCode == http.StatusOK
	})
}

func (s *suite) events(t *testing.T) {
	for _, target := range []string{"/events", "/events/jobs", "/events/", "//events/jobs", "/%65vents/jobs", "/x/../events/jobs"} {
		a, err := s.try(t, "POST", target, []byte(`{"Records": []}`))
		if err != nil || a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusBadRequest {
			t.Errorf("a stranger's %s is answered %+v, %v", target, a, err)
		}
	}
	if err := s.Deliver(t.Context(), "one", "two", "bad partly", "bad"); err != nil {
		t.Fatal(err)
	}
	counts := func() map[string]int {
		n := map[string]int{}
		for line := range strings.SplitSeq(string(s.do(t, "GET", "/seen", nil).body), "\n") {
			n[line]++
		}
		return n
	}
	eventually(t, "all messages reach the app, and again those at which it failed", func() bool {
		n := counts()
		return n["jobs jobs one"] >= 1 && n["jobs jobs two"] >= 1 && n["jobs jobs bad partly"] >= 2 && n["jobs jobs bad"] >= 2
	})
}
