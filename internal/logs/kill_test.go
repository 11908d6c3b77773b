package logs_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/logs"
)

const childEnv = "ALOFT_LOGS_TEST_CHILD" // the directory: the test binary is the program to be killed

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		fmt.Println("child:", appendForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendForever goes on with line numbers where the log ends, and prints a number once its file must hold it.
func appendForever(dir string) error {
	s, err := logs.Open(dir, logs.Options{SegmentBytes: 64 << 10, FlushEvery: time.Millisecond})
	if err != nil {
		return err
	}
	next := 0
	for range s.Logs(context.Background(), aloft.LogQuery{Stage: staging}) {
		next++
	}
	for ; ; next++ {
		s.Append(staging, line(next))
		if next%50 == 0 {
			for logs.Unwritten(s) {
				time.Sleep(100 * time.Microsecond)
			}
			fmt.Println(next)
		}
	}
}

// TestKill kills a child that writes a log: what was in the file stays, in order and whole.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acked := 0
	for range 20 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+dir)
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
				timer = time.AfterFunc(time.Duration(rand.IntN(30_000))*time.Microsecond, func() { _ = child.Process.Kill() })
			}
			if _, err := fmt.Sscan(lines.Text(), &acked); err != nil {
				t.Fatalf("child says %q", lines.Text())
			}
		}
		_ = child.Wait() // it was killed
		s, err := logs.Open(dir, logs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, s, aloft.LogQuery{})
		for i, l := range got {
			if !reflect.DeepEqual(l, line(i)) {
				t.Fatalf("line %d of %d: %+v", i, len(got), l)
			}
		}
		if len(got) <= acked {
			t.Fatalf("%d lines, line %d was written", len(got), acked)
		}
		closeStore(t, s)
	}
	t.Logf("20 kills, %d lines", acked)
}
