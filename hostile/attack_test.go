package hostile_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

// TestDoctorAttack: as an ordinary user, doctor says that apps reach the Internet, and of what a hostile app would try at the
// levels that such a user has, nothing comes through that should not.
func TestDoctorAttack(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux isolates; run it there")
	}
	s := newStranger(t)
	s.mkdir(t, "app", 0o755, 0)
	_, said := s.run("doctor")
	if !strings.Contains(said, "which reaches the Internet by a userspace stack") {
		t.Errorf("doctor does not say how apps reach the Internet:\n%s", said)
	}
	for level, flag := range map[int]string{3: "3", 2: "2"} {
		status, said := s.run("doctor", "--attack", "--level", flag, "--json")
		var report struct {
			OK      bool
			Level   int
			Results []struct {
				Name              string
				Allowed, Expected bool
				Reason            string
			}
		}
		if err := json.Unmarshal([]byte(said), &report); err != nil {
			t.Fatalf("level %d: status %d, %v\n%s", level, status, err, said)
		}
		for _, r := range report.Results {
			if !r.Expected {
				t.Errorf("level %d, %s: allowed is %v: %s", level, r.Name, r.Allowed, r.Reason)
			}
		}
		if status != 0 || !report.OK || report.Level != level || len(report.Results) < 60 {
			t.Errorf("level %d: status %d, ok is %v, level %d, %d probes", level, status, report.OK, report.Level, len(report.Results))
		}
	}
}
