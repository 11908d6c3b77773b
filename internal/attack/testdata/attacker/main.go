// The attacker is the program that tests put into sandboxes: small, and without the race detector, which takes seconds to start.
package main

import (
	"os"

	"github.com/aloft-run/aloft/internal/attack"
)

func main() { os.Exit(attack.Main(os.Args[2:], os.Stdout)) }
