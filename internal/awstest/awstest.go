// Package awstest starts an emulator of AWS for tests: MiniStack if it is installed, else moto. Neither is ours. It needs no
// account and no network besides loopback.
//
// What they do, seen with MiniStack 1.5.33 and moto 5.2.1:
//
//   - S3: both answer If-None-Match: * and If-Match with 412 as AWS does, MiniStack 404 for If-Match of a key that is not
//     there (as AWS), and send a Date header. MiniStack refuses bytes that do not have the SHA-256 sent with them and keeps it;
//     moto takes them. Names of buckets are shared by all accounts, and CreateBucket outside of us-east-1 needs a
//     LocationConstraint, as on AWS. Neither minds a client whose clock is wrong, nor looks at policies.
//   - KMS: both make data keys bound to an encryption context, and refuse to open one with another context. MiniStack needs
//     the key and alias made by API or stack first, as AWS does; nothing is there at the start.
//   - MiniStack keeps an access key of twelve digits for the account's number (see Cloud.Account), so that one emulator has
//     many accounts that see nothing of each other. moto has one account.
//   - MiniStack runs functions of provided.al2023, Python and Node as processes of this machine without Docker; moto needs
//     Docker for it. Two things of Lambda that it leaves out there, bootstraps in layers and AWS_LAMBDA_EXEC_WRAPPER, are
//     added from outside, and so are tags of the buckets that a stack makes: see ministack/sitecustomize.py. Hosts of function
//     URLs and HTTP APIs (ID.lambda-url.REGION.localhost) need no DNS with Cloud.Client.
//   - moto's CloudFormation skips many types in silence (aliases, function URLs, HTTP APIs): tests of stacks ask for
//     MiniStack with Cloud.NeedMiniStack.
package awstest

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/aloft-run/aloft/internal/porttest"
)

// Kind is which emulator answers.
type Kind string

// The kinds, named as the programs that are looked for in PATH.
const (
	MiniStack Kind = "ministack"
	Moto      Kind = "moto_server"
)

const (
	region  = "eu-west-1"
	account = "123456789012"
	install = "pip install ministack, and put it in PATH"
)

// Cloud is a running emulator, empty at the start, of one test.
type Cloud struct {
	Kind     Kind
	Endpoint string     // "http://127.0.0.1:PORT"
	Config   aws.Config // of the account 123456789012 in eu-west-1; nothing is retried
}

// Emulator starts an emulator and kills it when the test ends. It skips the test if none is installed.
func Emulator(t testing.TB) *Cloud {
	t.Helper()
	for _, kind := range []Kind{MiniStack, Moto} {
		if program, err := exec.LookPath(string(kind)); err == nil {
			return start(t, kind, program)
		}
	}
	t.Skip("needs an emulator of AWS: " + install)
	return nil
}

// NeedMiniStack skips the test if the emulator is another one.
func (c *Cloud) NeedMiniStack(t testing.TB) {
	t.Helper()
	if c.Kind != MiniStack {
		t.Skipf("%s does not do what this test needs: %s", c.Kind, install)
	}
}

// Account returns a Config of another account, named by twelve digits. Only MiniStack keeps accounts apart.
func (c *Cloud) Account(number string) aws.Config {
	config := c.Config.Copy()
	config.Credentials = credentials.NewStaticCredentialsProvider(number, "secret", "")
	return config
}

// Client reaches the emulator whatever host a URL names, as a function URL's, and follows no redirect.
func (c *Cloud) Client() *http.Client {
	address := strings.TrimPrefix(c.Endpoint, "http://")
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Env is the environment in which a program (aloft, aws) uses the emulator and nothing of the developer's.
func (c *Cloud) Env() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + c.Endpoint, "AWS_ACCESS_KEY_ID=" + account, "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=",
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_PROFILE=", "AWS_PAGER=", "AWS_CA_BUNDLE=",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
	}
}

func start(t testing.TB, kind Kind, program string) *Cloud {
	t.Helper()
	const attempts = 3 // another process may take the port before the emulator does
	said := ""
	for range attempts {
		endpoint, log := attempt(t, kind, program)
		if endpoint != "" {
			return &Cloud{Kind: kind, Endpoint: endpoint, Config: aws.Config{
				Region: region, BaseEndpoint: aws.String(endpoint), RetryMaxAttempts: 1,
				Credentials: credentials.NewStaticCredentialsProvider(account, "secret", ""),
				HTTPClient:  &http.Client{Transport: whole{}},
			}}
		}
		said = log
	}
	t.Fatalf("%s does not start:\n%s", kind, said)
	return nil
}

// customize is what Python runs before MiniStack.
//
//go:embed ministack/sitecustomize.py
var customize []byte

// attempt starts the emulator on a free port. It returns its endpoint, or what it printed.
func attempt(t testing.TB, kind Kind, program string) (endpoint, said string) {
	t.Helper()
	dir, port := t.TempDir(), porttest.Free(t)
	name := filepath.Join(dir, "log")
	log, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the emulator has its own descriptor
	if err := os.WriteFile(filepath.Join(dir, "sitecustomize.py"), customize, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{program}
	if kind == Moto {
		args = append(args, "-H", "127.0.0.1", "-p", port)
	}
	// When this process ends, however it does, the shell reads the end of its input and kills the group: itself, the
	// emulator, and the functions that this runs.
	const script = `("$@"; echo emulator ended) </dev/null & read -r line; kill -9 0`
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Env = environment(dir, port)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(alive, cmd) })
	return await(name, "http://127.0.0.1:"+port)
}

func stop(alive io.Closer, cmd *exec.Cmd) {
	_ = alive.Close()
	_ = cmd.Wait() // killed, by itself
}

// await waits until the log says that the emulator serves.
func await(log, endpoint string) (served, said string) {
	const limit = time.Minute // Python on a busy machine; 0.5 s on an idle one
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(log) // not there yet
		said = string(text)
		switch {
		case strings.Contains(said, "Running on "+endpoint):
			return endpoint, said
		case strings.Contains(said, "emulator ended"):
			return "", said
		}
	}
	return "", said + fmt.Sprintf("\n(not ready within %s)", limit)
}

// environment keeps PATH and what a Python may need, and nothing that leads to a real account.
func environment(dir, port string) []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "AWS_") })
	return append(env, "TMPDIR="+dir, "STATE_DIR="+filepath.Join(dir, "state"), "S3_DATA_DIR="+filepath.Join(dir, "s3"),
		"PYTHONPATH="+dir, "GATEWAY_PORT="+port, "BIND_HOST=127.0.0.1", "MINISTACK_ACCOUNT_ID="+account, "MINISTACK_REGION="+region,
		"AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "DOCKER_HOST=unix:///dev/null")
}
