// Command embed writes the compressed shims that release builds carry, into the directory that it is given.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft/internal/shim/shimbin"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: embed DIRECTORY")
	}
	for _, arch := range shimbin.Arches() {
		program, digest, err := shimbin.Binary(context.Background(), arch)
		if err != nil {
			return err
		}
		packed, err := shimbin.Pack(program)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(args[0], "bootstrap-"+arch+".gz"), packed, 0o644); err != nil { //nolint:gosec // who runs it says where
			return err
		}
		fmt.Fprintf(os.Stderr, "shim for %s: %d bytes, %d compressed, sha256 %s\n", arch, len(program), len(packed), digest)
	}
	return nil
}
