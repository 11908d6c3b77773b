package report

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// Main runs a benchmark between two lines that say where, when and how busy the machine is. It ends the program if the
// benchmark fails or is interrupted.
func Main(name string, run func(ctx context.Context, out io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	Machine(ctx, os.Stdout, name+" begins")
	err := run(ctx, os.Stdout)
	Machine(context.WithoutCancel(ctx), os.Stdout, name+" ends")
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}
