//go:build linux

package namespace_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/namespace"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func newEngine(t *testing.T, options namespace.Options) *namespace.Engine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	options.Visible = append(options.Visible, filepath.Dir(self))
	if options.Server == "" {
		options.Server = "aloft-test-" + filepath.Base(t.TempDir()) + filepath.Base(filepath.Dir(t.TempDir()))
	}
	e, err := namespace.New(t.Context(), options)
	if err != nil {
		t.Skipf("this machine does not let sandboxes be made (%v); see aloft doctor", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestContract(t *testing.T) { enginetest.Run(t, newEngine(t, namespace.Options{Ready: 1})) }

func TestContractBounded(t *testing.T) {
	enginetest.Run(t, newEngine(t, namespace.Options{Bounded: true}))
}

// TestOrdinaryUser runs the tests of this package again as a user without privileges.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the tests run as an ordinary user already")
	}
	again := enginetest.Nobody(t, "-test.v", "-test.timeout=5m")
	out, err := again.CombinedOutput()
	if err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("--- PASS: TestContract")) {
		t.Errorf("the contract was not tested as an ordinary user:\n%s", out)
	}
}
