package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestUnknownOfInstances: what nobody knows of functions on AWS is not shown as if it was measured.
func TestUnknownOfInstances(t *testing.T) {
	t.Parallel()
	there := aloft.Instance{Function: "web", ID: "eu-west-1/a-b-web:3", Release: 3, State: aloft.Stopped}
	if got := strings.Join(instanceRow(there), " "); got != "web eu-west-1/a-b-web:3 v3 stopped   - - - - - " {
		t.Errorf("%q", got)
	}
	if text, err := json.Marshal(there); err != nil || strings.Contains(string(text), "startedAt") {
		t.Errorf("%s %v", text, err)
	}
	here := aloft.Instance{Function: "web", ID: "i1", Release: 3, State: aloft.Ready, PID: 7, Listen: "unix:/s", InFlight: 2}
	if got := strings.Join(instanceRow(here), " "); got != "web i1 v3 ready 7 unix:/s - - - 2 0 " {
		t.Errorf("%q", got)
	}
}
