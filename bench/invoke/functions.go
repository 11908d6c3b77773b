package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/aloft-run/aloft/bench/home"
)

// The functions answer every event alike.
const (
	nodeFunction   = "exports.handler = async event => ({ message: 'hello', n: 1 })\n"
	pythonFunction = "def handler(event, context):\n    return {'message': 'hello', 'n': 1}\n"
	goFunction     = `package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, json.RawMessage) (map[string]any, error) { return map[string]any{"message": "hello", "n": 1}, nil })
}
`
	functionsManifest = `functions:
  node: {handler: fnode.handler, runtime: nodejs20.x, min: %[2]d, max: 8, idle: %[1]s}
  python: {handler: fpython.handler, runtime: python3.11, min: %[2]d, max: 8, idle: %[1]s}
  go: {command: ./fgo, runtime: provided.al2023, min: %[2]d, max: 8, idle: %[1]s}
`
)

// languages of the functions.
var languages = []string{"go", "node", "python"} //nolint:gochecknoglobals // a constant list

// The apps: one for rates and one for starts.
const (
	warmApp = "invoke"
	coldApp = "cold"
)

// deploy deploys the functions in both.
func (b *bench) deploy(ctx context.Context) error {
	b.urls = map[string]string{}
	program := filepath.Join(b.Dir, "fgo")
	if err := buildGo(ctx, b.Dir, program); err != nil {
		return err
	}
	for name, app := range map[string]struct {
		idle      string
		instances int
	}{warmApp: {"10m", 8}, coldApp: {"400ms", 1}} {
		dir := filepath.Join(b.Dir, name)
		if err := home.Plant(dir, map[string]string{
			"fnode.js": nodeFunction, "fpython.py": pythonFunction, "aloft.yml": fmt.Sprintf(functionsManifest, app.idle, app.instances),
		}); err != nil {
			return err
		}
		if err := os.Link(program, filepath.Join(dir, "fgo")); err != nil {
			return err
		}
		address, err := b.server.Up(ctx, dir)
		if err != nil {
			return err
		}
		b.urls[name] = address
	}
	return nil
}

// buildGo builds the Go function with AWS's own client, of the version that this module pins.
func buildGo(ctx context.Context, dir, to string) error {
	source := filepath.Join(dir, "fgo.go")
	if err := os.WriteFile(source, []byte(goFunction), 0o600); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-o", to, source)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// target is something to send invocations to.
type target struct {
	name, addr, host, path string
	single                 bool // it takes one invocation at a time
	ours                   bool // it is aloft
}

// ours is the function of a language at the app's URL.
func ours(app, language string) (target, error) {
	u, err := url.Parse(app)
	if err != nil {
		return target{}, err
	}
	return target{name: "aloft, " + language, addr: "127.0.0.1:" + u.Port(), host: u.Host, path: "/" + language, ours: true}, nil
}
