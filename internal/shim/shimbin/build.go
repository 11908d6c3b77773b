package shimbin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// build compiles the shim from the source tree of this package.
func build(ctx context.Context, arch string) ([]byte, error) {
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..", "..")
	if _, err := os.Stat(filepath.Join(root, "cmd", "bootstrap")); err != nil || !filepath.IsAbs(file) {
		return nil, errors.New("this aloft was built without the shim, and its source is not here; make build makes one that has it")
	}
	dir, err := os.MkdirTemp("", "aloft-shim-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "bootstrap")
	// TLS fetches config past 4 KB, once, at the start: its code is to be small rather than fast.
	small := []string{"-tags=nethttpomithttp2", "-ldflags=-s -w -buildid=", "-gcflags=crypto/...=-l"}
	args := append([]string{"build", "-trimpath", "-buildvcs=false"}, small...)
	cmd := exec.CommandContext(ctx, "go", append(args, "-o", out, "./cmd/bootstrap")...)
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err() // and not that it was killed
		}
		return nil, fmt.Errorf("go build: %w: %s", err, strings.TrimSpace(string(text)))
	}
	return os.ReadFile(out)
}
