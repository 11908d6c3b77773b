// Command invoke measures invocations of functions: requests through aloft's gateway to handlers of Node.js, Python and Go, beside
// serverless-offline, the AWS Lambda Runtime Interface Emulator (one client: it takes one invocation at a time) and a plain
// Go server, in turns within one run; and first invocations while nothing runs.
//
//	go run ./invoke -aloft ../bin/aloft -rounds 5
//
// Figures of one run compare; figures of two runs do not: machines are shared.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
	"github.com/aloft-run/aloft/bench/wire"
)

type options struct {
	home.Lab

	duration time.Duration
	rounds   int
	only     string // comma-separated parts
	clients  string // comma-separated numbers of them
	target   string // part of the names of those to measure
	peers    string // where peers are installed
}

func main() {
	if len(os.Args) > 1 {
		if run := map[string]func([]string) error{"load": runLoad, "engine": runEngine}[os.Args[1]]; run != nil {
			if err := run(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
				os.Exit(1)
			}
			return
		}
	}
	var o options
	o.Flags()
	flag.DurationVar(&o.duration, "duration", time.Second, "time of one measurement")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; the median counts")
	flag.StringVar(&o.only, "only", report.Names(new(bench).parts()), "parts to measure")
	flag.StringVar(&o.clients, "clients", "1,32", "clients at once")
	flag.StringVar(&o.target, "target", "", "measure only those whose name contains this, such as: aloft, node")
	flag.StringVar(&o.peers, "peers", "../bin/peers", "where tools/benchdeps.sh installed serverless-offline and the emulator")
	flag.Parse()
	report.Main("bench/invoke", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

// bench is what the parts have in common.
type bench struct {
	options

	out    io.Writer
	goals  *report.Goals
	server *home.Server
	urls   map[string]string // of the apps
	cold   []start           // whose first invocations are measured
	bares  []start           // those of them that run without aloft too
}

func (b *bench) parts() []report.Part {
	return []report.Part{{Name: "rate", Run: b.rate}, {Name: "engine", Run: b.engine}, {Name: "cold", Run: b.starts}}
}

func run(ctx context.Context, out io.Writer, o options) error {
	free, err := o.Open()
	if err != nil {
		return err
	}
	defer free()
	b := &bench{options: o, out: out, goals: report.NewGoals()}
	if b.server, err = b.Serve(ctx); err != nil {
		return err
	}
	defer b.server.Remove()
	if err := b.deploy(ctx); err != nil {
		return err
	}
	err = report.Run(ctx, out, b.parts(), o.only)
	b.goals.Print(out, "Targets")
	return err
}

// measure loads an address from a process of its own.
func (b *bench) measure(ctx context.Context, t target, clients int) (wire.Result, error) {
	exe, err := os.Executable()
	if err != nil {
		return wire.Result{}, err
	}
	cmd := exec.CommandContext(ctx, exe, "load", t.addr, t.host, t.path, strconv.Itoa(clients), b.duration.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return wire.Result{}, fmt.Errorf("%s: %w", t.name, err)
	}
	var r wire.Result
	return r, json.Unmarshal(out, &r)
}

const event = `{"n":1}`

func runLoad(args []string) error {
	if len(args) != 5 {
		return errors.New("needs address, host, path, clients, time")
	}
	clients, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	request := []byte("POST " + args[2] + " HTTP/1.1\r\nHost: " + args[1] + "\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(event)) + "\r\n\r\n" + event)
	r, err := wire.Run(clients, d, func(warm, end time.Time) (*wire.Times, error) {
		c, err := net.Dial("tcp", args[0])
		if err != nil {
			return nil, err
		}
		return wire.Client(c, request, warm, end)
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}
