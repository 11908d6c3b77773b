package cli

import (
	"bytes"
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

// TestStatusWithoutProcesses: the columns of processes are there if any instance is one.
func TestStatusWithoutProcesses(t *testing.T) {
	t.Parallel()
	there := aloft.Instance{Function: "web", ID: "eu-west-1/a-b-web:3", Release: 3, State: aloft.Ready, Reason: "why"}
	here := aloft.Instance{Function: "web", ID: "i1", Release: 3, State: aloft.Ready, PID: 7}
	for _, c := range []struct {
		instances []aloft.Instance
		pids      bool
	}{{[]aloft.Instance{there}, false}, {[]aloft.Instance{here}, true}, {[]aloft.Instance{there, here}, true}} {
		var out bytes.Buffer
		p := &program{out: &out}
		if err := p.printStatus(statusResult{Status: aloft.Status{Instances: c.instances}}); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if strings.Contains(text, "PID") != c.pids || !strings.Contains(text, "REASON") || strings.Contains(text, "why") != (c.instances[0].Reason != "") {
			t.Errorf("%v:\n%s", c.instances, text)
		}
	}
}
