package shim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/porttest"
	"github.com/aloft-run/aloft/internal/shim"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// TestInterfaceEmulator runs the shim under AWS's own Runtime API, that of its Runtime Interface Emulator.
func TestInterfaceEmulator(t *testing.T) {
	emulator, err := exec.LookPath("aws-lambda-rie")
	if err != nil {
		t.Skip("install AWS's emulator: make deps, or sh tools/rie.sh DIR for a DIR on the PATH")
	}
	spec, err := json.Marshal(self(t, "port"))
	if err != nil {
		t.Fatal(err)
	}
	front, api := porttest.Address(t), porttest.Address(t)
	cmd := exec.Command(emulator, "--runtime-interface-emulator-address", front, "--runtime-api-address", api, build(t))
	var output shimtest.Output
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &output, &output
	cmd.Env = append(os.Environ(), shim.SpecVariable+"="+string(spec), "LAMBDA_TASK_ROOT="+cmd.Dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	r, err := http.NewRequest(http.MethodPost, "http://example.com/a%20b?x=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte("some text "), 10_000)
	event, err := lambdahttp.Encode(lambdahttp.APIGatewayV2, r, body, &lambdahttp.Meta{SourceIP: "203.0.113.7", Time: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Post("http://"+front+"/2015-03-31/functions/function/invocations", "application/json", bytes.NewReader(event))
		if err != nil {
			if time.Now().After(end) {
				t.Fatalf("%v\n%s", err, &output)
			}
			continue
		}
		reply, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		decoded, err := lambdahttp.DecodeReply(lambdahttp.APIGatewayV2, http.MethodPost, reply)
		if err != nil {
			t.Fatalf("%s: %v\n%s", reply, err, &output)
		}
		text, _ := io.ReadAll(decoded.Body)
		if decoded.Status != http.StatusOK || string(text) != fmt.Sprintf("POST /a%%20b?x=1 %s", body) {
			t.Errorf("the answer is %d %.200q", decoded.Status, text)
		}
		return
	}
}
