package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// Health is how the server is.
type Health struct {
	ServerInfo

	State string `json:"state,omitempty" doc:"If it was asked for: \"ok\", or what is wrong with the server's state"`
}

type healthInput struct {
	Check bool `query:"check" doc:"Look through the whole state, which may take a while"`
}

// Upgrade is the body of an upgrade.
type Upgrade struct {
	Seconds float64 `json:"seconds" minimum:"0.1" maximum:"3600" doc:"For the new server to become ready"`
}

type upgradeInput struct{ Body Upgrade }

// Upgraded says which server took the place of which.
type Upgraded struct {
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Before  ServerPID `json:"before" doc:"It finishes its requests and ends"`
}

// ServerPID names a server.
type ServerPID struct {
	PID     int    `json:"pid"`
	Version string `json:"version"`
}

// StateOK is the State of a sound server.
const StateOK = "ok"

func (h *handlers) serverRoutes() {
	huma.Register(h.api, h.operation(http.MethodGet, "/v1/health", "health", "How the server is"),
		func(ctx context.Context, in *healthInput) (*output[Health], error) {
			health := Health{ServerInfo: h.Server}
			if in.Check && h.Check != nil {
				health.State = StateOK
				if err := h.Check(ctx); err != nil {
					health.State = err.Error()
				}
			}
			return &output[Health]{Body: health}, nil
		})
	upgrade := h.operation(http.MethodPost, "/v1/server/upgrade", "upgrade-server", "Start the server's program again; the new server takes this one's place, no request is lost")
	huma.Register(h.api, upgrade, func(ctx context.Context, in *upgradeInput) (*output[Upgraded], error) {
		if h.Upgrade == nil {
			return nil, NewProblem(aloft.Errorf(aloft.Conflict, "this server cannot be replaced from here"))
		}
		done, err := h.Upgrade(ctx, time.Duration(in.Body.Seconds*float64(time.Second)))
		if err != nil {
			return nil, NewProblem(err)
		}
		return &output[Upgraded]{Body: done}, nil
	})
	stop := h.operation(http.MethodPost, "/v1/server/stop", "stop-server", "End the server: it drains, then exits")
	stop.DefaultStatus = http.StatusAccepted
	huma.Register(h.api, stop, func(context.Context, *struct{}) (*struct{}, error) {
		if h.Shutdown == nil {
			return nil, NewProblem(aloft.Errorf(aloft.Conflict, "this server cannot be stopped from here"))
		}
		h.Shutdown()
		return &struct{}{}, nil
	})
}
