package local_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft/internal/local"
)

func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		freed := 0
		ended, forget := local.NewRest(func() { freed++ })
		for range 3 {
			ended()
			time.Sleep(local.RestAfter / 2)
		}
		if freed != 0 {
			t.Errorf("it rested while instances ended")
		}
		time.Sleep(local.RestAfter)
		if freed != 1 {
			t.Errorf("freed %d times after instances ended, want once", freed)
		}
		ended()
		forget()
		time.Sleep(2 * local.RestAfter)
		if freed != 1 {
			t.Error("it went on after close")
		}
	})
}
