package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
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

// languages of the functions that are measured warm.
var languages = []string{"go", "node", "python"} //nolint:gochecknoglobals // a constant list

// The apps: one for rates, and those for starts. Java has one of its own, which Maven builds.
const (
	warmApp = "invoke"
	coldApp = "cold"
	javaApp = "coldjava"
)

// What is measured cold besides.
const (
	rubyFunction = "def handler(event:, context:) = { message: 'hello', n: 1 }\n"
	rubyManifest = "  ruby: {handler: fruby.handler, runtime: ruby3.4, max: 1, idle: 400ms}\n"
	javaManifest = "functions: {java: {handler: \"Fjava::handle\", runtime: java17, max: 1, idle: 400ms}}\n"
	javaFunction = `public class Fjava {
  public java.util.Map<String, Object> handle(java.util.Map<String, Object> event) { return java.util.Map.of("message", "hello", "n", 1); }
}
`
	javaProject = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>bench</groupId><artifactId>fjava</artifactId><version>1</version>
<properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target></properties></project>
`
)

// deploy deploys the functions. Languages that the machine lacks are named.
func (b *bench) deploy(ctx context.Context) error {
	b.urls = map[string]string{}
	program := filepath.Join(b.Dir, "fgo")
	if err := buildGo(ctx, b.Dir, program); err != nil {
		return err
	}
	clients := filepath.Join(b.Dir, "clients")
	if err := lambdaruntime.Install(clients); err != nil {
		return err
	}
	b.cold = append(b.cold, start{"go", coldApp, []string{program}})
	for language, family := range map[string]lambdaruntime.Family{"node": lambdaruntime.Node, "python": lambdaruntime.Python, "ruby": lambdaruntime.Ruby} {
		command, _ := lambdaruntime.Command(family, clients)
		if _, err := exec.LookPath(command[0]); err != nil {
			fmt.Fprintf(b.out, "not measured: %v\n", err)
			continue
		}
		b.cold = append(b.cold, start{language, coldApp, command})
	}
	slices.SortFunc(b.cold, func(a, b start) int { return strings.Compare(a.language, b.language) })
	b.bares = b.cold
	files := map[string]string{"fnode.js": nodeFunction, "fpython.py": pythonFunction}
	manifest := fmt.Sprintf(functionsManifest, "400ms", 1)
	if _, err := exec.LookPath("ruby"); err == nil {
		files["fruby.rb"], manifest = rubyFunction, manifest+rubyManifest
	}
	for name, text := range map[string]string{warmApp: fmt.Sprintf(functionsManifest, "10m", 8), coldApp: manifest} {
		files["aloft.yml"] = text
		if err := b.up(ctx, name, files, program); err != nil {
			return err
		}
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		fmt.Fprintln(b.out, "not measured: Java needs Maven, which is not installed")
		return nil
	}
	b.cold = append(b.cold, start{"java", javaApp, nil})
	return b.up(ctx, javaApp, map[string]string{"src/main/java/Fjava.java": javaFunction, "pom.xml": javaProject, "aloft.yml": javaManifest}, "")
}

// up deploys an app of files and, if it is not "", the program fgo.
func (b *bench) up(ctx context.Context, name string, files map[string]string, program string) error {
	dir := filepath.Join(b.Dir, name)
	if err := home.Plant(dir, files); err != nil {
		return err
	}
	if program != "" {
		if err := os.Link(program, filepath.Join(dir, "fgo")); err != nil {
			return err
		}
	}
	address, err := b.server.Up(ctx, dir)
	b.urls[name] = address
	return err
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
