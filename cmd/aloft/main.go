// Command aloft puts any web server online, exactly as it is.
package main

import (
	"context"
	"os"

	"github.com/aloft-run/aloft/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	return cli.Main(context.Background(), cli.Process{
		Args: os.Args[1:], Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	})
}
