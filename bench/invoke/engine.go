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

// engine measures the engine without HTTP before it: invocations within the process that has the instances, as plain processes
// of the Go function. Lines of the log are made and dropped.
func (b *bench) engine(ctx context.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var rate, cpu []float64
	for range b.rounds {
		cmd := exec.CommandContext(ctx, exe, "engine", filepath.Join(b.Dir, "fgo"), b.duration.String())
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("the engine by itself: %w", err)
		}
		var r engineResult
		if err := json.Unmarshal(out, &r); err != nil {
			return err
		}
		rate, cpu = append(rate, r.Rate), append(cpu, r.CPU)
	}
	b.goals.Note(fmt.Sprintf("invocations/s within the engine's process, go, %d clients and instances", engineClients), report.Figure(report.Median(rate)))
	b.goals.Judge("… processor time of the engine for each", report.Median(cpu), report.AtMost(30, " µs"))
	return nil
}

// runEngine is the process that engine measures.
func runEngine(args []string) error {
	if len(args) != 2 {
		return errors.New("needs program, time")
	}
	d, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	pool := function.NewPool(function.Options{
		Engine: process.New(""), Ports: function.NewPorts(), Stage: aloft.StageRef{App: "bench", Stage: "production"}, Release: 1,
		Function: aloft.Function{Name: "go", Kind: aloft.Handler, Memory: 1024, Instances: engineClients},
		Prepare: func(string, int) (engine.Spec, func(), error) {
			return engine.Spec{Command: []string{args[0]}, Env: []string{"GOMAXPROCS=1", "AWS_LAMBDA_FUNCTION_NAME=go"}}, nil, nil
		},
		Log: func(aloft.LogLine) {},
	})
	defer pool.Kill()
	if err := pool.Start(context.Background(), func() {}); err != nil {
		return err
	}
	gate := function.NewGate()
	gate.Use(pool)
	if _, err := invokeFor(gate, d/4); err != nil { // warm
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
				reply, err := gate.Invoke(context.Background(), &runtimeapi.Call{ID: id, Payload: []byte(event)})
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
