package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

// printing lets an app print all its lines through a pipe of the server's, and counts those that arrived.
func (b *bench) printing(ctx context.Context) error {
	s, err := home.Serve(ctx, b.aloft, b.dir)
	if err != nil {
		return err
	}
	defer s.Remove()
	dir := filepath.Join(b.dir, "printing")
	if err := errors.Join(os.Mkdir(dir, 0o755), home.Hello(ctx, filepath.Join(dir, "server"))); err != nil {
		return err
	}
	address, err := s.Up(ctx, dir)
	if err != nil {
		return err
	}
	var rate, cpu, tail []float64
	lost := 0
	for range b.rounds {
		before, err := s.CPU()
		if err != nil {
			return err
		}
		began := time.Now()
		took, err := home.Get(ctx, fmt.Sprintf("%s/print?n=%d", address, b.lines))
		if err != nil {
			return err
		}
		if err := s.Quiet(ctx); err != nil { // what is in pipes and buffers is work as well
			return err
		}
		after, err := s.CPU()
		if err != nil {
			return err
		}
		rate = append(rate, float64(b.lines)/took*1000)
		cpu = append(cpu, float64((after-before).Microseconds())/float64(b.lines))
		n, time, err := since(ctx, s, began)
		if err != nil {
			return err
		}
		lost += b.lines - n
		tail = append(tail, time)
	}
	t := report.NewTable("lines/s", "server's CPU, µs per line", "lines that did not arrive", "last 100 lines over the API, ms")
	t.Add(report.Figure(report.Median(rate)), report.Figure(report.Median(cpu)), fmt.Sprint(lost), report.Figure(report.Median(tail)))
	t.Print(b.out, fmt.Sprintf("An app prints %d lines of 135 bytes as fast as it can, %d rounds", b.lines, b.rounds))
	return nil
}

// since counts the app's lines from a time on, and measures how long the last 100 take.
func since(ctx context.Context, s *home.Server, began time.Time) (n int, tail float64, err error) {
	ref := aloft.StageRef{App: "printing", Stage: aloft.DefaultStage}
	for line, err := range s.Logs(ctx, aloft.LogQuery{Stage: ref, Since: began}) {
		if err != nil {
			return n, 0, err
		}
		if line.Stream == "stdout" {
			n++
		}
	}
	tail, err = report.Took(func() error {
		for _, err := range s.Logs(ctx, aloft.LogQuery{Stage: ref, Limit: 100}) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, tail, err
}
