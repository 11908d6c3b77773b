package lambdaapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aloft-run/aloft"
)

// functionKey is a function as the platform knows it.
type functionKey struct {
	aloft.StageRef

	function string
}

// reservation is how many invocations at once a function may have.
type reservation struct {
	most    int
	created time.Time // of the stage: one of a stage that was destroyed counts for nothing
}

// Reserved is how many invocations of a function there may be at once; false is any number. It is asked with each: what is set of
// concurrency is in memory, as RestoreReserved and changes put it there.
func (a *API) Reserved(ctx context.Context, ref aloft.StageRef, function string) (most int, bound bool) {
	a.reservedMu.RLock()
	r, bound := a.reserved[functionKey{ref, function}]
	a.reservedMu.RUnlock()
	if !bound {
		return 0, false
	}
	stage, err := a.Apps.Stage(ctx, ref)
	return r.most, err != nil || stage.CreatedAt.Equal(r.created)
}

// RestoreReserved reads what is set of concurrency, at a start of the server, before functions run. What cannot be read is logged
// and counts for nothing.
func (a *API) RestoreReserved(ctx context.Context) error {
	docs, err := a.Docs.Metas(ctx, recordPrefix)
	if err != nil {
		return err
	}
	for name, text := range docs {
		var r record
		if err := json.Unmarshal(text, &r); err != nil {
			a.Logger.Error("the settings of a function cannot be read: its concurrency has no bound", "document", name, "error", err)
			continue
		}
		a.keepReserved(r)
	}
	return nil
}

// keepReserved makes what a record says of concurrency count from now on.
func (a *API) keepReserved(r record) {
	a.reservedMu.Lock()
	defer a.reservedMu.Unlock()
	key := functionKey{r.StageRef, r.Function}
	if r.Reserved == nil {
		delete(a.reserved, key)
		return
	}
	a.reserved[key] = reservation{*r.Reserved, r.Created}
}
