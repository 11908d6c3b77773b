package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/aloft-run/aloft"
)

type logsInput struct {
	StagePath

	Limit  int       `query:"limit" minimum:"0" doc:"The last so many lines; 0 means all"`
	Since  time.Time `query:"since" doc:"Not before"`
	Follow bool      `query:"follow" doc:"Go on with new lines"`
}

func (h *handlers) logRoutes() {
	huma.Register(h.api, h.streams(h.operation(http.MethodGet, stagePath+"/logs", "logs", "The stage's log, oldest line first")), h.logs)
}

// logs writes lines as they come: reading the log waits for the client, and nothing else waits for it.
func (h *handlers) logs(_ context.Context, in *logsInput) (*huma.StreamResponse, error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	query := aloft.LogQuery{Stage: ref, Limit: in.Limit, Since: in.Since, Follow: in.Follow}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		out := newLines(w)
		for line, err := range h.Logs.Logs(r.Context(), query) {
			if err != nil {
				out.write(last(nil, err))
				return
			}
			out.write(Event{Type: typeLog, Log: &line})
			if query.Follow {
				out.flush()
			}
		}
		out.write(last(nil, nil))
	}}, nil
}
