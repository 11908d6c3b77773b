package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

var _ aloft.AsyncService = (*Client)(nil)

// Pending implements aloft.AsyncService.
func (c *Client) Pending(ctx context.Context, ref aloft.StageRef) (map[string]int, error) {
	return stageCall[map[string]int](ctx, c, http.MethodGet, ref, "/pending-events", nil)
}

// DeadLetters implements aloft.AsyncService.
func (c *Client) DeadLetters(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.DeadLetter, error) {
	return stageCall[[]aloft.DeadLetter](ctx, c, http.MethodGet, ref, "/dead-letters?limit="+strconv.Itoa(limit), nil)
}

// DeadLetter implements aloft.AsyncService.
func (c *Client) DeadLetter(ctx context.Context, ref aloft.StageRef, id string) (aloft.DeadLetter, error) {
	return stageCall[aloft.DeadLetter](ctx, c, http.MethodGet, ref, "/dead-letters/"+url.PathEscape(id), nil)
}

// Replay implements aloft.AsyncService.
func (c *Client) Replay(ctx context.Context, ref aloft.StageRef, ids []string) (int, error) {
	n, err := stageCall[api.LetterCount](ctx, c, http.MethodPost, ref, "/dead-letters/replays", api.Letters{IDs: ids, All: len(ids) == 0})
	return n.Count, err
}

// RemoveDeadLetters implements aloft.AsyncService.
func (c *Client) RemoveDeadLetters(ctx context.Context, ref aloft.StageRef, ids []string) (int, error) {
	n, err := stageCall[api.LetterCount](ctx, c, http.MethodPost, ref, "/dead-letters/removals", api.Letters{IDs: ids, All: len(ids) == 0})
	return n.Count, err
}

// stageCall calls what is below a stage's path.
func stageCall[T any](ctx context.Context, c *Client, method string, ref aloft.StageRef, below string, body any) (T, error) {
	var got T
	path, err := stagePath(ref, below)
	if err == nil {
		err = c.do(ctx, method, path, body, &got)
	}
	return got, err
}
