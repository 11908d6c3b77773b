package resourcetest

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Killed runs this test binary again with a variable in its environment, which makes it a process that does one thing after
// another and says the number of each that was acknowledged: 0, 1, 2 … It kills it after so many, and returns how many there
// were in the end.
func Killed(t *testing.T, variable string, after int) int {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), variable)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != strconv.Itoa(n) {
			t.Fatalf("the process says %q", line)
		}
		if n++; n == after {
			_ = c.Process.Kill()
		}
	}
	_ = c.Wait() // killed
	return n
}
