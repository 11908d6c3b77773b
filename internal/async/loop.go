package async

import (
	"context"
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// Ends reports whether an event is not to reach its function because it runs in circles. Invoked with Async it becomes a dead
// letter; who has people wait for it refuses it.
func (q *Queue) Ends(ctx context.Context, input aloft.InvokeInput) bool {
	if !lineage.Loops(input.Trace, input.Stage, input.Function) {
		return false
	}
	w, err := q.worker(ctx, lane{ref: input.Stage, name: input.Function})
	return err != nil || w.loops(ctx, input.Trace, input.Qualifier)
}

// isEnd reports whether an event is one that a source hands over since it runs in circles. It may be as large as those that somebody
// waits for, as it was one: it is kept whole, since a source that is refused has no other way to be rid of it.
func isEnd(input aloft.InvokeInput) bool {
	return input.Source != "" && lineage.Loops(input.Trace, input.Stage, input.Function)
}

// loops reports whether an event has come back too often, for a function that may not be run in circles.
func (w *worker) loops(ctx context.Context, trace, qualifier string) bool {
	if !lineage.Loops(trace, w.lane.ref, w.lane.name) {
		return false
	}
	set := w.settings(ctx, qualifier)
	return set.Async == nil || set.Loops != aloft.LoopsAllowed
}

// endLoop makes an event a dead letter that has come back too often. It goes to no destination: that may be part of the circle.
func (w *worker) endLoop(m messages.Message, e envelope) []messages.Change {
	e.Error = fmt.Sprintf("a loop was ended: the function has worked on this event, and on what came of it, %d times", lineage.Most)
	if w.queue.Log != nil {
		w.queue.Log(w.lane.ref, aloft.LogLine{
			Time: time.Now(), Function: w.lane.name, Stream: "aloft", RequestID: m.ID,
			Text: e.Error + "; the event is a dead letter. See that it sends nothing to what invokes it, or say loops: allow in aloft.yml",
		})
	}
	return []messages.Change{messages.Delete{Receipt: m.Receipt, Must: true}, w.deadLetter(m, e, aloft.Invoked{})}
}
