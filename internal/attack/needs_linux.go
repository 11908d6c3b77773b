package attack

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

func needs() []Probe {
	return []Probe{
		{Name: "write to the temporary directory", try: func(target) error {
			return os.WriteFile(filepath.Join(os.TempDir(), "mine"), []byte("x"), 0o600) //nolint:gosec // its own directory
		}},
		{Name: "serve on the loopback address", try: func(target) error {
			l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
			if err == nil {
				err = l.Close()
			}
			return err
		}},
		{Name: "write beside the code", try: func(t target) error {
			return os.WriteFile(filepath.Join(t.Tree, "mine"), []byte("x"), 0o600)
		}},
		{Name: "start a program", try: func(target) error { return exec.Command("/bin/true").Run() }}, //nolint:noctx // at once
	}
}
