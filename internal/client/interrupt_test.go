package client_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/api/apitest"
	"github.com/aloft-run/aloft/internal/client"
)

// writing is a Deployer that is interrupted where it writes a file: its error is the machine's, not an interrupt's.
type writing struct{ aloft.Deployer }

func (writing) Deploy(ctx context.Context, _ aloft.DeployInput, report aloft.Reporter) (aloft.Deployment, error) {
	report.Report(aloft.Notice{Text: "writing"})
	<-ctx.Done()
	return aloft.Deployment{}, aloft.Errorf(aloft.Internal, "store artifact: %w", ctx.Err())
}

// TestInterruptedWriteIsAnInterrupt: whatever the work was cut off in, its client learns of an interrupt.
func TestInterruptedWriteIsAnInterrupt(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	listener, err := api.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	services := (&apitest.Fake{}).Services(home, nil)
	services.Deployer = writing{}
	server := &http.Server{Handler: api.New(services)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	c := client.New(filepath.Join(home, api.SocketName))
	t.Cleanup(c.Close)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = c.Deploy(ctx, aloft.DeployInput{Stage: aloft.StageRef{App: "shop", Stage: "staging"}, Dir: home}, onEvent(cancel))
	if code := aloft.ErrorCode(err); code != aloft.Canceled {
		t.Errorf("the error is %v (%s)", err, code)
	}
}

// onEvent is a Reporter that calls a function at each event.
type onEvent func()

// Report calls f.
func (f onEvent) Report(aloft.Event) { f() }
