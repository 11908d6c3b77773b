package local_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft/internal/local"
)

func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var freed atomic.Int64
		ended, forget := local.NewRest(func() { freed.Add(1) })
		for range 3 {
			ended()
			time.Sleep(local.RestAfter / 2)
		}
		if freed.Load() != 0 {
			t.Errorf("it rested while instances ended")
		}
		time.Sleep(local.RestAfter)
		synctest.Wait()
		if freed.Load() != 1 {
			t.Errorf("freed %d times after instances ended, want once", freed.Load())
		}
		ended()
		forget()
		time.Sleep(2 * local.RestAfter)
		synctest.Wait()
		if freed.Load() != 1 {
			t.Error("it went on after close")
		}
	})
}
