package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// start is a function of which the first invocation is measured.
type start struct {
	language, app string
	command       []string // what runs it without aloft; nil if nothing does
}

// benchARN is what functions that run without aloft are told they are.
const benchARN = "arn:aws:lambda:us-east-1:000000000000:function:bench"

// environment is that of a function that runs without aloft.
func (b *bench) environment(s start) []string {
	return append(os.Environ(), "_HANDLER=f"+s.language+".handler", "LAMBDA_TASK_ROOT="+filepath.Join(b.Dir, coldApp), "AWS_LAMBDA_FUNCTION_NAME="+s.language,
		"AWS_LAMBDA_FUNCTION_VERSION=1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024", "AWS_LAMBDA_LOG_GROUP_NAME=bench", "AWS_LAMBDA_LOG_STREAM_NAME=bench", "GOMAXPROCS=1")
}

// starts measures first invocations through the gateway while nothing runs, beside the same function with the same client as a plain
// process: exec until it has answered.
func (b *bench) starts(ctx context.Context) error {
	bare, took := map[string][]float64{}, map[string][]float64{}
	for range b.rounds {
		for _, s := range b.cold {
			if s.command != nil {
				ms, err := b.bare(ctx, s)
				if err != nil {
					return fmt.Errorf("%s as a plain process: %w", s.language, err)
				}
				bare[s.language] = append(bare[s.language], ms)
			}
			if err := asleep(ctx, b.server, s.app); err != nil {
				return err
			}
			ms, err := home.Get(ctx, b.urls[s.app]+"/"+s.language)
			if err != nil {
				return err
			}
			took[s.language] = append(took[s.language], ms)
		}
	}
	t := report.NewTable("", "plain process, p50 ms", "aloft, p50 ms", "aloft, p90 ms", "later by, ms", "ratio")
	for _, s := range b.cold {
		all := took[s.language]
		plain, later, ratio := "–", "–", "–"
		if alone := bare[s.language]; alone != nil {
			plain, later = report.Figure(report.Median(alone)), report.Figure(report.Median(all)-report.Median(alone))
			ratio = report.Figure(report.Median(all) / report.Median(alone))
		}
		t.Add(s.language, plain, report.Figure(report.Median(all)), report.Figure(report.Quantile(all, .9)), later, ratio)
	}
	t.Print(b.out, fmt.Sprintf("First invocations: the function as a plain process (exec → its answer); through aloft's gateway while nothing runs; %d rounds", b.rounds))
	return nil
}

// bare runs a function without aloft's server and returns how many milliseconds after exec it has answered.
func (b *bench) bare(ctx context.Context, s start) (float64, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	session := runtimeapi.Serve(l)
	defer session.Close()
	cmd := exec.CommandContext(ctx, s.command[0], s.command[1:]...)
	cmd.Dir, cmd.Env = filepath.Join(b.Dir, coldApp), append(b.environment(s), "AWS_LAMBDA_RUNTIME_API="+l.Addr().String())
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	reply, err := session.Invoke(ctx, &runtimeapi.Call{ID: "first", Payload: []byte(event), Deadline: began.Add(time.Minute), ARN: benchARN})
	if err == nil && reply.Failure != nil {
		err = reply.Failure
	}
	return float64(time.Since(began).Microseconds()) / 1000, err
}

// asleep waits until no instance of the app runs and the server has cleared away what did.
func asleep(ctx context.Context, s *home.Server, app string) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		all, err := s.Overview(ctx, app)
		if err != nil {
			return err
		}
		if len(all) == 1 && !slices.ContainsFunc(all[0].Instances, func(i aloft.Instance) bool { return i.State != aloft.Idle }) {
			time.Sleep(300 * time.Millisecond)
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s still runs after a minute: %+v", app, all)
		}
	}
}
