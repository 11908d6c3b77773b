package cli

import (
	"context"
	"io"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/events"
	"github.com/aloft-run/aloft/internal/lambdaapi"
	"github.com/aloft-run/aloft/internal/resource/bucket"
)

var (
	_ lambdaapi.Mappings = mappings{}
	_ lambdaapi.Objects  = objects{}
)

// mappings are the event sources of a server as lambdaapi sees them.
type mappings struct{ runner *events.Runner }

// Put implements lambdaapi.Mappings.
func (m mappings) Put(_ context.Context, one lambdaapi.Mapping) error {
	if !one.Enabled {
		m.runner.Detach(one.UUID)
		return m.runner.Check(one.Source)
	}
	return m.runner.Attach(events.Attached{
		ID: one.UUID, Stage: one.Stage, Function: one.Function, Qualifier: one.Qualifier, Source: one.Source, Whole: one.Whole,
	})
}

// Remove implements lambdaapi.Mappings.
func (m mappings) Remove(_ context.Context, uuid string) error {
	m.runner.Detach(uuid)
	return nil
}

// Result implements lambdaapi.Mappings.
func (m mappings) Result(uuid string) string {
	state, running := m.runner.State(uuid)
	switch {
	case !running:
		return "PROBLEM: the function or its event sources do not run here now."
	case state.Error != "":
		return "PROBLEM: " + state.Error
	case state.Events > 0:
		return "OK"
	}
	return "No records processed"
}

// objects are the buckets of a server as lambdaapi sees them.
type objects struct{ buckets *bucket.Store }

// Object implements lambdaapi.Objects. There are no versions of objects.
func (o objects) Object(ctx context.Context, name, key, version string) (io.ReadCloser, error) {
	if version != "" {
		return nil, aloft.Errorf(aloft.NotFound, "objects have no versions here")
	}
	_, content, err := o.buckets.Get(ctx, name, key, nil)
	if err != nil {
		return nil, err
	}
	return content, nil
}
