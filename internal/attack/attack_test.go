//go:build linux

package attack_test

import (
	"os"
	"testing"

	"github.com/aloft-run/aloft/internal/attack"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/confined"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/namespace"
	"github.com/aloft-run/aloft/internal/engine/process"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == attack.Word {
		os.Exit(attack.Main(os.Args[2:], os.Stdout))
	}
	os.Exit(m.Run())
}

func run(t *testing.T, e engine.Engine) attack.Report {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	report, err := attack.Run(t.Context(), e, self)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Unexpected() {
		t.Errorf("level %d, %s: allowed is %v: %s", report.Level, r.Name, r.Allowed, r.Reason)
	}
	return report
}

// TestTheyWorkWhereNothingStopsThem is the control: a probe that fails everywhere shows nothing.
func TestTheyWorkWhereNothingStopsThem(t *testing.T) {
	report := run(t, process.New(t.TempDir()))
	worked := map[string]bool{}
	for _, r := range report.Results {
		worked[r.Name] = r.Allowed
		if !r.Allowed {
			t.Logf("%s: %s", r.Name, r.Reason)
		}
	}
	if len(report.Results) < 40 {
		t.Errorf("only %d probes", len(report.Results))
	}
	for _, name := range []string{
		"read the server's state", "read the other tenant's temporary file", "read the other tenant's environment",
		"read the other tenant's files by /proc", "open the other tenant's memory", "see the other tenant's process", "signal the other tenant",
		"signal the server", "connect to the server's API", "connect to the other tenant", "connect by MPTCP",
		"connect by sending (TCP fast open)", "the server's abstract Unix socket", "io_uring", "change the released code",
		"use twice the memory", "fill the temporary directory", "start 400 processes", "gain rights by a set-user-ID program",
	} {
		if !worked[name] {
			t.Errorf("%q fails where nothing stops it", name)
		}
	}
}

func TestConfined(t *testing.T) {
	e, err := confined.New(t.TempDir(), nil)
	if err != nil {
		t.Skipf("%v; run it on a newer one", err)
	}
	run(t, e)
}

func TestIsolated(t *testing.T) {
	for name, bounded := range map[string]bool{"isolated": false, "bounded": true} {
		t.Run(name, func(t *testing.T) {
			e, err := namespace.New(t.Context(), namespace.Options{Server: "aloft-attack-" + name, Ready: 1, Bounded: bounded})
			if err != nil {
				t.Skipf("this machine does not let such sandboxes be made (%v); see aloft doctor", err)
			}
			t.Cleanup(func() { _ = e.Close() })
			run(t, e)
		})
	}
}

// TestOrdinaryUser attacks again as a user without privileges, whose sandboxes are made in other ways.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the tests run as an ordinary user already")
	}
	for _, test := range []string{"TestConfined", "TestIsolated/isolated"} {
		t.Run(test, func(t *testing.T) { enginetest.AsNobody(t, test) })
	}
}
