//go:build linux

package namespace_test

import (
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

// TestOrdinaryUser runs the contract again as a user without privileges.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the tests run as an ordinary user already")
	}
	enginetest.AsNobody(t, "TestContract")
}
