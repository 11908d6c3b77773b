package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

// printing lets an app print all its lines through a pipe of the server's, and counts those that arrived.
func (b *bench) printing(ctx context.Context) error {
	s, err := b.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Remove()
	dir := filepath.Join(b.Dir, "printing")
	if err := errors.Join(os.Mkdir(dir, 0o755), home.Hello(ctx, filepath.Join(dir, "server"))); err != nil {
		return err
	}
	address, err := s.Up(ctx, dir)
	if err != nil {
		return err
	}
	var rate, cpu, tail, share []float64
	for range b.rounds {
		r, err := b.print(ctx, s, address)
		if err != nil {
			return err
		}
		rate, cpu, tail, share = append(rate, r.rate), append(cpu, r.cpu), append(tail, r.tail), append(share, r.dropped)
	}
	t := report.NewTable("lines/s", "server's CPU, µs per line", "dropped, as the log says, %", "last 100 lines over the API, ms")
	t.Add(report.Figure(report.Median(rate)), report.Figure(report.Median(cpu)), report.Figure(report.Median(share)), report.Figure(report.Median(tail)))
	t.Print(b.out, fmt.Sprintf("An app prints %d lines of 135 bytes as fast as it can, %d rounds", b.lines, b.rounds))
	return nil
}

// printout is what came of one round. dropped is a share in percent, tail in milliseconds, cpu in microseconds for a line.
type printout struct{ rate, cpu, dropped, tail float64 }

func (b *bench) print(ctx context.Context, s *home.Server, address string) (r printout, err error) {
	before, err := s.CPU()
	if err != nil {
		return r, err
	}
	began := time.Now()
	took, body, err := home.Fetch(ctx, fmt.Sprintf("%s/print?n=%d", address, b.lines))
	if err != nil {
		return r, err
	}
	if err := s.Quiet(ctx); err != nil { // what is in pipes and buffers is work as well
		return r, err
	}
	after, err := s.CPU()
	if err != nil {
		return r, err
	}
	printed, err := strconv.Atoi(body)
	if err != nil {
		return r, err
	}
	arrived, dropped, err := since(ctx, s, began)
	if err != nil {
		return r, err
	}
	// Two layers drop: whole lines, and of a log that is behind bytes; where both do, some of what one says goes with the other.
	if off := printed - arrived - dropped; max(off, -off) > printed/100 {
		return r, fmt.Errorf("of %d bytes printed %d are in the log, and it says that %d were dropped", printed, arrived, dropped)
	}
	r = printout{rate: float64(b.lines) / took * 1000, cpu: float64((after - before).Microseconds()) / float64(b.lines)}
	r.dropped = 100 * float64(dropped) / float64(printed)
	r.tail, err = report.Took(func() error {
		for _, err := range s.Logs(ctx, aloft.LogQuery{Stage: staging, Limit: 100}) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

var staging = aloft.StageRef{App: "printing", Stage: aloft.DefaultStage}

// lineLength is how long the lines are that the app prints, in bytes: 130 as seen, with their numbers.
const lineLength = 130

// since counts the bytes that the app printed from a time on and that are in the log, and those of which the log says that
// they were dropped: it does so in a line of its own, before which it ends the line that was cut.
func since(ctx context.Context, s *home.Server, began time.Time) (arrived, dropped int, err error) {
	for line, err := range s.Logs(ctx, aloft.LogQuery{Stage: staging, Since: began}) {
		if err != nil {
			return arrived, dropped, err
		}
		var some int
		if _, err := fmt.Sscanf(line.Text, "%d line", &some); line.Stream == "aloft" && err == nil && strings.Contains(line.Text, " dropped") {
			dropped += some * lineLength
			continue
		}
		if _, err := fmt.Sscanf(line.Text, "[%d bytes of output dropped", &some); line.Stream != "stdout" {
			continue
		} else if err == nil {
			dropped += some
			arrived--
			continue
		}
		arrived += len(line.Text) + len("\n")
	}
	return arrived, dropped, nil
}
