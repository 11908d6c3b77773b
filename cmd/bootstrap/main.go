// Command bootstrap runs a web server, exactly as it is, inside of AWS Lambda. See package shim.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/aloft-run/aloft/internal/shim"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return shim.Run(ctx, shim.Program{Args: os.Args[1:], Env: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr})
}
