package api

import (
	"context"
	"net/http"

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
