package chaos_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/chaos"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/process"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func TestHarmlessByDefault(t *testing.T) {
	enginetest.Run(t, chaos.New(process.New(""), chaos.Options{}))
}

func TestFate(t *testing.T) {
	outcomes := func(seed uint64) (fates string) {
		e := chaos.New(process.New(""), chaos.Options{Seed: seed, FailStart: 0.5})
		for range 20 {
			s, err := e.Start(t.Context(), engine.Spec{ID: "x", Command: enginetest.Child("hang")})
			if err != nil {
				if aloft.ErrorCode(err) != aloft.Failed {
					t.Fatal(err)
				}
				fates += "f"
				continue
			}
			fates += "s"
			_ = s.Signal(syscall.SIGKILL)
			<-s.Done()
		}
		return fates
	}
	one, again, other := outcomes(1), outcomes(1), outcomes(2)
	if one != again || one == other {
		t.Errorf("seed 1: %s and %s, seed 2: %s", one, again, other)
	}

	e := chaos.New(process.New(""), chaos.Options{Die: 1, Life: time.Millisecond})
	s, err := e.Start(t.Context(), engine.Spec{ID: "x", Command: enginetest.Child("hang")})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(20 * time.Second):
		t.Error("it lives on")
	}
}
