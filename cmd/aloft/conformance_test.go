package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/conformancetest"
	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/shim"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// TestConformance deploys one app, asks it by one suite on this machine's platform, and again with the very same artifact inside of
// what Lambda is: the shim under the Runtime API.
func TestConformance(t *testing.T) {
	app, home := t.TempDir(), filepath.Join(t.TempDir(), "home")
	conformancetest.Write(t, app)
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "aloft", args...)
		cmd.Dir = app
		cmd.Env = append(os.Environ(), "ALOFT_HOME="+home, "ALOFT_HTTP=127.0.0.1:0", "HOME="+filepath.Dir(home))
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("aloft %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
		}
		return string(out)
	}
	t.Cleanup(func() { cleanUp(filepath.Dir(home)) })
	run("up", "production")
	run("config", "set", "GREETING=hello", "--stage", "production")
	digest := artifactOf(t, run("releases", "--json", "--stage", "production"))
	t.Run("local", func(t *testing.T) {
		url := "http://" + gatewayOf(t, home)
		conformancetest.Run(t, conformancetest.Platform{
			URL: url, Host: "same.localhost", Streams: true, Deliver: func(ctx context.Context, messages ...string) error { return enqueue(ctx, url, messages) },
		})
	})
	t.Run("lambda", func(t *testing.T) {
		exported := filepath.Join(t.TempDir(), "exported")
		run("export", "cloudformation", exported, "--stage", "production", "--config", "GREETING")
		f := functionIn(t, exported)
		f.Shim, f.Dir, f.Timeout, f.Env = shimtest.Build(t), unpack(t, home, digest), 3*time.Second, append(f.Env, "GREETING=hello")
		if !f.Spec.Stream || len(f.Spec.Sources) != 1 {
			t.Fatalf("the shim is to run %+v", f.Spec)
		}
		var queue string
		for queue = range f.Spec.Sources { // there is one
		}
		l := shimtest.Start(t, f)
		conformancetest.Run(t, conformancetest.Platform{
			URL: l.Gateway(t, lambdahttp.FunctionURL).URL, Host: "same.localhost", Streams: true, Fills: true, Trace: shimtest.Trace,
			Deliver: func(ctx context.Context, messages ...string) error { return l.Queue(ctx, queue, messages...) },
		})
	})
}

// functionIn is the one function of an exported template: what its shim runs, and the variables that CloudFormation does not fill in.
func functionIn(t *testing.T, dir string) shimtest.Function {
	t.Helper()
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				Environment struct{ Variables map[string]any }
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "template.json"))
	if err == nil {
		err = json.Unmarshal(data, &template)
	}
	if err != nil {
		t.Fatal(err)
	}
	var functions []shimtest.Function
	for _, r := range template.Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		f := shimtest.Function{}
		for name, value := range r.Properties.Environment.Variables {
			switch text, plain := value.(string); {
			case name == shim.SpecVariable:
				if err := json.Unmarshal([]byte(text), &f.Spec); err != nil {
					t.Fatalf("%v: %v", value, err)
				}
			case plain:
				f.Env = append(f.Env, name+"="+text)
			}
		}
		functions = append(functions, f)
	}
	if len(functions) != 1 {
		t.Fatalf("%d functions in %s", len(functions), data)
	}
	return functions[0]
}

// artifactOf is the digest of the artifact that the newest release has.
func artifactOf(t *testing.T, list string) string {
	t.Helper()
	var releases []struct {
		Artifact struct{ Digest string }
	}
	if err := json.Unmarshal([]byte(list), &releases); err != nil || len(releases) < 2 || releases[0].Artifact != releases[1].Artifact {
		t.Fatalf("%v: %s", err, list)
	}
	return releases[0].Artifact.Digest
}

// gatewayOf is where the gateway of a home's server listens.
func gatewayOf(t *testing.T, home string) string {
	t.Helper()
	var memory struct{ HTTP string }
	data, err := os.ReadFile(filepath.Join(home, "server.json"))
	if err == nil {
		err = json.Unmarshal(data, &memory)
	}
	if err != nil {
		t.Fatal(err)
	}
	return memory.HTTP
}

// enqueue has the app put messages on its queue.
func enqueue(ctx context.Context, url string, messages []string) error {
	for _, m := range messages {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/send", strings.NewReader(m))
		if err != nil {
			return err
		}
		r.Host = "same.localhost"
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("send %q: %s %s", m, answer.Status, text)
		}
	}
	return nil
}

// unpack writes the files of the artifact, whose digest is that of its bytes, as Lambda does.
func unpack(t *testing.T, home, digest string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, "artifacts", digest[:2], digest))
	if err != nil || len(files) != 1 {
		t.Fatalf("the artifact %s is not in the store: %v, %v", digest, files, err)
	}
	data, err := os.ReadFile(files[0])
	if sum := sha256.Sum256(data); err != nil || hex.EncodeToString(sum[:]) != digest {
		t.Fatalf("the artifact %s has other bytes: %v", digest, err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.File {
		if f.Mode().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, f.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
