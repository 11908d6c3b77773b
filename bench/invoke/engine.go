package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/report"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// engineClients is how many goroutines invoke at once, and how many instances there are.
const engineClients = 8

// engineResult is what the engine by itself did.
type engineResult struct {
	Rate float64 `json:"rate"` // invocations a second
	CPU  float64 `json:"cpu"`  // µs of this process for each, the function's own not among them
}

// engine measures the engine without HTTP before it: invocations within the process that has the instances, as plain processes.
// Lines of the log are made and dropped.
func (b *bench) engine(ctx context.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	rate, cpu := map[string][]float64{}, map[string][]float64{}
	for range b.rounds {
		for _, s := range b.bares {
			args := append([]string{"engine", b.duration.String(), filepath.Join(b.Dir, coldApp)}, s.command...)
			cmd := exec.CommandContext(ctx, exe, args...)
			cmd.Stderr, cmd.Env = os.Stderr, b.environment(s)
			out, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("the engine by itself, %s: %w", s.language, err)
			}
			var r engineResult
			if err := json.Unmarshal(out, &r); err != nil {
				return err
			}
			rate[s.language], cpu[s.language] = append(rate[s.language], r.Rate), append(cpu[s.language], r.CPU)
		}
	}
	t := report.NewTable("", "invocations/s", "the engine's processor time for each, µs")
	for _, s := range b.bares {
		t.Add(s.language, report.Figure(report.Median(rate[s.language])), report.Figure(report.Median(cpu[s.language])))
		b.goals.Judge("the engine's processor time for an invocation, "+s.language, report.Median(cpu[s.language]), report.AtMost(30, " µs"))
	}
	t.Print(b.out, fmt.Sprintf("The engine by itself: no HTTP, no sandbox, %d clients and instances; medians of %d rounds of %s", engineClients, b.rounds, b.duration))
	return nil
}

// runEngine is the process that engine measures. Its environment is the function's.
func runEngine(args []string) error {
	if len(args) < 3 {
		return errors.New("needs time, directory, command")
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	pool := function.NewPool(function.Options{
		Engine: process.New(""), Ports: function.NewPorts(), Stage: aloft.StageRef{App: "bench", Stage: "production"}, Release: 1,
		Function: aloft.Function{Name: "bench", Kind: aloft.Handler, Memory: 1024, Instances: engineClients},
		Prepare: func(string, int) (engine.Spec, func(), error) {
			return engine.Spec{Command: args[2:], Dir: args[1], Env: os.Environ()}, nil, nil
		},
		Log: func(aloft.LogLine) {},
	})
	defer pool.Kill()
	if err := pool.Start(context.Background(), func() {}); err != nil {
		return err
	}
	gate := function.NewGate()
	gate.Use(pool)
	if _, err := invokeFor(gate, d); err != nil { // warm
		return err
	}
	before := ownCPU()
	n, err := invokeFor(gate, d)
	if err != nil {
		return err
	}
	took := ownCPU() - before
	return json.NewEncoder(os.Stdout).Encode(engineResult{Rate: float64(n) / d.Seconds(), CPU: float64(took.Microseconds()) / float64(n)})
}

// invokeFor invokes from all clients for a time and returns how often.
func invokeFor(gate *function.Gate, d time.Duration) (int64, error) {
	var all sync.WaitGroup
	var n atomic.Int64
	var failure atomic.Pointer[error]
	end := time.Now().Add(d)
	for client := range engineClients {
		all.Go(func() {
			for time.Now().Before(end) {
				id := strconv.Itoa(client) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
				reply, err := gate.Invoke(context.Background(), &runtimeapi.Call{ID: id, Payload: []byte(event), ARN: benchARN})
				if err == nil && reply.Failure != nil {
					err = reply.Failure
				}
				if err != nil {
					failure.Store(&err)
					return
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	if err := failure.Load(); err != nil {
		return 0, *err
	}
	return n.Load(), nil
}

// ownCPU is the processor time of this process so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
