package client

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

// Logs implements aloft.LogService.
func (c *Client) Logs(ctx context.Context, query aloft.LogQuery) iter.Seq2[aloft.LogLine, error] {
	return func(yield func(aloft.LogLine, error) bool) {
		path, err := logPath(query)
		if err != nil {
			yield(aloft.LogLine{}, err)
			return
		}
		err = c.events(ctx, call{method: http.MethodGet, path: path}, func(e api.Event) error {
			if e.Log != nil && (ctx.Err() != nil || !yield(*e.Log, nil)) {
				return errStop
			}
			return nil
		})
		switch {
		case errors.Is(err, errStop) && ctx.Err() == nil:
		case ctx.Err() != nil:
			yield(aloft.LogLine{}, ctx.Err())
		case err != nil:
			yield(aloft.LogLine{}, err)
		}
	}
}

func logPath(query aloft.LogQuery) (string, error) {
	values := url.Values{}
	if query.Limit > 0 {
		values.Set("limit", strconv.Itoa(query.Limit))
	}
	if !query.Since.IsZero() {
		values.Set("since", query.Since.Format(time.RFC3339Nano))
	}
	if query.Follow {
		values.Set("follow", "true")
	}
	return stagePath(query.Stage, "/logs?"+values.Encode())
}
