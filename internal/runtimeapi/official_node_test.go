package runtimeapi_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// TestOfficialNodeClient: AWS's client for Node.js works with the Runtime API as it does with Lambda's. It has to be built, so
// the test takes one that was prepared.
func TestOfficialNodeClient(t *testing.T) {
	dir := os.Getenv("ALOFT_NODE_RIC")
	if dir == "" {
		t.Skip("needs AWS's runtime client for Node.js: apt-get install g++ make cmake autoconf automake libtool python3 libnode-dev && " +
			"mkdir /tmp/ric && npm_config_nodedir=/usr npm i --prefix /tmp/ric aws-lambda-ric@3.3.0, " +
			"some minutes; then run this test with ALOFT_NODE_RIC=/tmp/ric")
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	start := func(handler string) *officialRuntime {
		cmd := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "node_modules", "aws-lambda-ric", "bin", "index.mjs"), handler)
		cmd.Dir = testdata
		cmd.Env = append(os.Environ(), "LAMBDA_TASK_ROOT="+testdata, "_HANDLER="+handler)
		return startOfficial(t, cmd)
	}

	buffered := start("official.handler")
	buffered.echoes(t, "hé")
	reply := buffered.invoke(t, "id-2", `{"do":"fail"}`)
	if says := whatFailed(reply.Failure); !strings.Contains(says, `"errorType":"TypeError"`) || !strings.Contains(says, "no such thing") ||
		!strings.Contains(says, "official.mjs:3") {
		t.Errorf("failure %s", says)
	}
	buffered.echoes(t, "again")

	streaming := start("official.stream")
	streaming.streams(t, "words")
	reply = streaming.invoke(t, "id-4", `{"do":"fail","text":"half"}`)
	if reply.Stream == nil {
		t.Fatalf("no stream: %+v", reply)
	}
	body, err := io.ReadAll(reply.Stream)
	if says := whatFailed(err); !strings.HasSuffix(string(body), "half") || !strings.Contains(says, "in the middle") || !strings.Contains(says, "RangeError") {
		t.Errorf("a stream that fails ends with %q, %s", body, says)
	}
	streaming.streams(t, "after a failure")
}

// whatFailed is what the runtime said of a failure.
func whatFailed(err error) string {
	var f *runtimeapi.Failure
	if !errors.As(err, &f) || f == nil {
		return fmt.Sprintf("no failure: %v", err)
	}
	return string(f.Payload)
}
