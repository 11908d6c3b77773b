package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// Letters chooses dead letters.
type Letters struct {
	IDs []string `json:"ids,omitempty" doc:"Those of these request ids"`
	All bool     `json:"all,omitempty" doc:"All of the stage"`
}

// LetterCount is how many dead letters there were.
type LetterCount struct {
	Count int `json:"count"`
}

type lettersInput struct {
	StagePath

	Limit int `query:"limit" minimum:"0" doc:"At most so many, oldest first; 0 means all"`
}

type letterInput struct {
	StagePath

	ID string `path:"id"`
}

type chosenInput struct {
	StagePath

	Body Letters
}

func (h *handlers) asyncRoutes() {
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/pending-events", "pending-events", "How many events nobody waits for wait for each function"),
		func(ctx context.Context, in *StagePath) (*output[map[string]int], error) {
			return answer(in, func(ref aloft.StageRef) (map[string]int, error) { return h.Async.Pending(ctx, ref) })
		})
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/dead-letters", "list-dead-letters", "The events that were given up, oldest first"),
		func(ctx context.Context, in *lettersInput) (*output[[]aloft.DeadLetter], error) {
			return answer(&in.StagePath, func(ref aloft.StageRef) ([]aloft.DeadLetter, error) { return h.Async.DeadLetters(ctx, ref, in.Limit) })
		})
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/dead-letters/{id}", "get-dead-letter", "One of them, with its payload"),
		func(ctx context.Context, in *letterInput) (*output[aloft.DeadLetter], error) {
			return answer(&in.StagePath, func(ref aloft.StageRef) (aloft.DeadLetter, error) { return h.Async.DeadLetter(ctx, ref, in.ID) })
		})
	replay := h.operation(http.MethodPost, stagePath+"/dead-letters/replays", "replay-dead-letters", "Have functions work on dead letters again")
	huma.Register(h.api, replay, func(ctx context.Context, in *chosenInput) (*output[LetterCount], error) {
		return forLetters(in, func(ref aloft.StageRef, ids []string) (int, error) { return h.Async.Replay(ctx, ref, ids) })
	})
	remove := h.operation(http.MethodPost, stagePath+"/dead-letters/removals", "remove-dead-letters", "Delete dead letters")
	huma.Register(h.api, remove, func(ctx context.Context, in *chosenInput) (*output[LetterCount], error) {
		return forLetters(in, func(ref aloft.StageRef, ids []string) (int, error) { return h.Async.RemoveDeadLetters(ctx, ref, ids) })
	})
}

// answer answers with what do returns for the stage of a path.
func answer[T any](in *StagePath, do func(aloft.StageRef) (T, error)) (*output[T], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	body, err := do(ref)
	if err != nil {
		return nil, NewProblem(err)
	}
	return &output[T]{Body: body}, nil
}

func forLetters(in *chosenInput, do func(aloft.StageRef, []string) (int, error)) (*output[LetterCount], error) {
	return answer(&in.StagePath, func(ref aloft.StageRef) (LetterCount, error) {
		if in.Body.All == (len(in.Body.IDs) > 0) {
			return LetterCount{}, aloft.Errorf(aloft.Invalid, "it is not said which dead letters").WithHint("give ids, or all")
		}
		n, err := do(ref, in.Body.IDs)
		return LetterCount{n}, err
	})
}
