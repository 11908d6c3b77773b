package messages_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

const childEnv = "ALOFT_MESSAGES_TEST_CHILD" // "MODE PATH": the test binary is the program to be killed

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		mode, path, _ := strings.Cut(job, " ")
		fmt.Println("child:", putForever(mode == "early", path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// putForever puts messages and moves every third to another queue, from several goroutines, and says so after it was done;
// with early, the seeded bug, before it.
func putForever(early bool, path string) error {
	ctx := context.Background()
	s, err := messages.Open(ctx, path)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(now bool, words ...any) {
		if now {
			mu.Lock()
			defer mu.Unlock()
			fmt.Println(words...)
		}
	}
	failed := make(chan error)
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i)
				say(early, "PUT", id)
				if _, err := s.Put(ctx, messages.Put{Queue: "q", ID: id, Group: fmt.Sprint(w)}); err != nil {
					failed <- err
				}
				say(!early, "PUT", id)
				if i%3 == 0 {
					m, err := s.Claim(ctx, messages.Claim{Queue: "q", Visibility: time.Nanosecond})
					if err == nil && len(m) > 0 {
						err = s.Apply(ctx, messages.Delete{Receipt: m[0].Receipt}, messages.Put{Queue: "done", ID: m[0].ID})
					}
					if err != nil {
						failed <- err
					}
				}
			}
		}()
	}
	return <-failed
}

// TestKill kills a child that puts and moves messages: whatever it acknowledged is in one of the queues.
func TestKill(t *testing.T) {
	t.Parallel()
	acks, lost := killLoop(t, "sound", 10)
	t.Logf("10 kills, %d acknowledgements", acks)
	if acks <= 10 || len(lost) > 0 {
		t.Errorf("%d acknowledged, lost: %v", acks, lost)
	}
}

// TestKillControl: the same harness finds the seeded bug, or it proves nothing.
func TestKillControl(t *testing.T) {
	t.Parallel()
	if _, lost := killLoop(t, "early", 10); len(lost) == 0 {
		t.Error("acknowledging before the commit was not noticed in 10 kills")
	}
}

func killLoop(t *testing.T, mode string, kills int) (acks int, lost []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "messages.db")
	acked := map[string]bool{}
	for range kills {
		killOnce(t, mode, path, acked)
	}
	s := open(t, path)
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, queue := range []string{"q", "done"} {
		all, err := s.Peek(t.Context(), queue, 0, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if found := acked[m.ID]; found {
				delete(acked, m.ID)
				acks++
			}
		}
	}
	for id := range acked {
		lost = append(lost, id)
	}
	return acks, lost
}

// killOnce runs the child, kills it some milliseconds after its first acknowledgement, and notes what it acknowledged.
func killOnce(t *testing.T, mode, path string, acked map[string]bool) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+mode+" "+path)
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var timer *time.Timer
	for lines.Scan() {
		if timer == nil {
			timer = time.AfterFunc(time.Duration(rand.IntN(40_000))*time.Microsecond, func() { _ = child.Process.Kill() })
		}
		id, found := strings.CutPrefix(lines.Text(), "PUT ")
		if !found {
			t.Fatalf("child says %q", lines.Text())
		}
		acked[id] = true
	}
	_ = child.Wait() // it was killed
}
