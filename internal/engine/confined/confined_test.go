//go:build linux

package confined_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft/internal/engine/confined"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func TestContract(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e, err := confined.New(t.TempDir(), []string{filepath.Dir(self)})
	if err != nil {
		t.Skipf("%v; run it on a newer one", err)
	}
	enginetest.Run(t, e)
}

// TestOrdinaryUser runs the contract again as a user without privileges.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the contract runs as an ordinary user already")
	}
	enginetest.AsNobody(t, "TestContract")
}
