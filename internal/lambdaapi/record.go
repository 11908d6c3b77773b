package lambdaapi

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
)

// record is what is kept of a function beside its releases, by its name as Lambda has it.
type record struct {
	aloft.StageRef

	Function string
	Created  time.Time // of the stage: a record of one that was destroyed counts for nothing
	Revision int       // counts changes of the record

	Tags        map[string]string            `json:",omitempty"`
	Attributes  map[string]string            `json:",omitempty"` // of a function that aloft deploys, over its own, as JSON: see aloft.Function
	Versions    map[string]published         `json:",omitempty"` // by number, that of a release
	Latest      map[string]aloft.Alias       `json:",omitempty"` // aliases of $LATEST
	Policies    map[string]policy            `json:",omitempty"` // by qualifier, as all below
	URLs        map[string]functionURL       `json:",omitempty"`
	EventInvoke map[string]json.RawMessage   `json:",omitempty"`
	Provisioned map[string]provisioned       `json:",omitempty"`
	Runtime     map[string]runtimeManagement `json:",omitempty"`
	Reserved    *int                         `json:",omitempty"` // concurrency; nil: none is reserved
	Recursion   string                       `json:",omitempty"`
}

// published is what is kept of a version.
type published struct {
	Description string `json:",omitempty"`
	At          time.Time
}

const recordPrefix = "lambda/function/"

// load reads a document; ok is false if there is none.
func load[T any](ctx context.Context, docs Docs, name string) (doc T, ok bool, err error) {
	text, err := docs.Meta(ctx, name)
	if err != nil || text == nil {
		return doc, false, err
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return doc, false, fmt.Errorf("read %s: %w", name, err)
	}
	return doc, true, nil
}

func save(ctx context.Context, docs Docs, name string, doc any) error {
	text, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return docs.SetMeta(ctx, name, text)
}

// change changes the record of a function: nobody else does meanwhile. After an error of f nothing is changed.
func (a *API) change(ctx context.Context, t *target, f func(*record) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok, err := load[record](ctx, a.Docs, recordPrefix+t.name)
	if err != nil {
		return err
	}
	if !ok || !r.Created.Equal(t.stage.CreatedAt) {
		r = record{StageRef: t.stage.StageRef, Function: t.function.Name, Created: t.stage.CreatedAt}
	}
	if err := f(&r); err != nil {
		return err
	}
	r.Revision++
	if err := save(ctx, a.Docs, recordPrefix+t.name, r); err != nil {
		return err
	}
	t.record = r
	a.keepReserved(r)
	return nil
}

// put sets a value in a map that may not have been made.
func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}

// revision is an identifier, in the form of a UUID, that changes when what it is made from does.
func revision(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(parts...)))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// fresh refuses a change that was meant for another state than the present one.
func fresh(asked, present string) error {
	if asked != "" && asked != present {
		return &Failure{"PreconditionFailedException", 412, "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId"}
	}
	return nil
}
