package aws

import "testing"

// TestRefusal tells what the shim answers for a server from what the server answers.
func TestRefusal(t *testing.T) {
	t.Parallel()
	const page = "502 Bad Gateway\nthe app did not answer\nrequest 8f5f\n"
	tests := []struct {
		name          string
		status        int
		body, log     string
		message, rest string
	}{
		{"the app's own", 502, "Bad Gateway", "", "", ""},
		{
			"ended", 502, page, "START RequestId: 8f5f\naloft: request 8f5f: GET / is answered 502: ./server ended: exit status 1; its last lines:\nno database\nbye\n{\"type\":\"request\"}\nEND RequestId: 8f5f",
			"./server ended: exit status 1; its last lines:", "no database\nbye",
		},
		{"unknown why", 502, page, "", "the server does not answer", ""},
		{
			"never ready", 504, "504 Gateway Timeout\nthe app took too long\nrequest 8f5f\n", "aloft: request 8f5f: GET / is answered 504: the server is not ready yet\nREPORT RequestId: 8f5f",
			"the server is not ready yet", "",
		},
		{
			"slow", 504, "504 Gateway Timeout\nthe app took too long\nrequest 8f5f\n", "aloft: request 8f5f: GET / is answered 504: it took longer than the function's timeout",
			"", "",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if message, rest := refusal(test.status, test.body, test.log); message != test.message || rest != test.rest {
				t.Errorf("got %q and %q, want %q and %q", message, rest, test.message, test.rest)
			}
		})
	}
}
