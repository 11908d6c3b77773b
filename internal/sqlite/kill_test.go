package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
)

const childEnv = "ALOFT_SQLITE_TEST_CHILD" // "MODE PATH": the test binary is the program to be killed

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		mode, path, _ := strings.Cut(job, " ")
		fmt.Println("child:", releaseForever(mode == "early", path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// releaseForever makes releases and says "ACK v status" after each step; with early, the seeded bug, before it.
func releaseForever(early bool, path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	stage, err := s.Stage(ctx, staging)
	if err != nil {
		return err
	}
	releases, err := s.Releases(ctx, stage.StageRef, 1)
	if err != nil {
		return err
	}
	next := 1
	if len(releases) > 0 {
		next = releases[0].Version + 1
	}
	for ; ; next++ {
		reason := ""
		if next%4 == 0 {
			reason = "broke"
		}
		for _, step := range []struct {
			ack string
			do  func() error
		}{
			{"pending", func() error { _, err := s.CreateRelease(ctx, release(0, aloft.Pending)); return err }},
			{finished(next), func() error { return s.FinishRelease(ctx, staging, next, reason) }},
		} {
			if early {
				fmt.Println("ACK", next, step.ack)
			}
			if err := step.do(); err != nil {
				return err
			}
			if !early {
				fmt.Println("ACK", next, step.ack)
			}
		}
	}
}

func finished(version int) string {
	if version%4 == 0 {
		return string(aloft.Broken)
	}
	return string(aloft.Succeeded)
}

// TestKill kills a child that makes releases 30 times: whatever it acknowledged is there afterwards.
func TestKill(t *testing.T) {
	t.Parallel()
	acks, violations := killLoop(t, "sound", 30)
	t.Logf("30 kills, %d acknowledgements", acks)
	if acks <= 30 {
		t.Errorf("%d acknowledgements: no child was killed after its first", acks)
	}
	for _, v := range violations {
		t.Error(v)
	}
}

// TestKillControl: the same harness finds the seeded bug, or it proves nothing.
func TestKillControl(t *testing.T) {
	t.Parallel()
	if _, violations := killLoop(t, "early", 10); len(violations) == 0 {
		t.Error("acknowledging before the commit was not noticed in 10 kills")
	}
}

func killLoop(t *testing.T, mode string, kills int) (acks int, violations []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "aloft.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(s.CreateApp(t.Context(), aloft.App{Name: "web"}), s.CreateStage(t.Context(), aloft.Stage{StageRef: staging}), s.Close())
	if err != nil {
		t.Fatal(err)
	}
	acked := map[int]string{}
	for range kills {
		acks += killOnce(t, mode, path, acked)
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			return acks, append(violations, err.Error())
		}
		violations = append(violations, judge(t, s, acked)...)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return acks, violations
}

// killOnce runs the child, kills it some milliseconds after its first acknowledgement, and notes what it acknowledged.
func killOnce(t *testing.T, mode, path string, acked map[int]string) (acks int) {
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
		fields := strings.Fields(lines.Text())
		version, err := strconv.Atoi(fields[min(1, len(fields)-1)])
		if err != nil || len(fields) != 3 {
			t.Fatalf("child says %q", lines.Text())
		}
		acked[version] = fields[2]
		acks++
	}
	_ = child.Wait() // it was killed
	return acks
}

// judge compares the state with what was acknowledged. A step may have happened without its acknowledgement, not the reverse.
func judge(t *testing.T, s *sqlite.Store, acked map[int]string) (violations []string) {
	t.Helper()
	if err := s.Check(t.Context()); err != nil {
		return []string{err.Error()}
	}
	releases, err := s.Releases(t.Context(), staging, 0)
	if err != nil {
		return []string{err.Error()}
	}
	stage, err := s.Stage(t.Context(), staging)
	if err != nil {
		return []string{err.Error()}
	}
	current, status := 0, map[int]string{}
	for i, r := range releases {
		if r.Version != len(releases)-i {
			violations = append(violations, fmt.Sprintf("versions have a gap at v%d", r.Version))
		}
		status[r.Version] = string(r.Status)
		if r.Status == aloft.Succeeded {
			current = max(current, r.Version)
		}
	}
	if stage.Current != current {
		violations = append(violations, fmt.Sprintf("current is v%d, newest succeeded release is v%d", stage.Current, current))
	}
	for version, want := range acked {
		if got := status[version]; got != want && (want != string(aloft.Pending) || got != finished(version)) {
			violations = append(violations, fmt.Sprintf("v%d was acknowledged as %s and is %q", version, want, got))
		}
	}
	return violations
}
