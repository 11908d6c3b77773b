package lambdaapi

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
)

// maxPayload is how long an event may be, in bytes; one that is not waited for may have less ("Lambda quotas").
const (
	maxPayload      = 6291556
	maxAsyncPayload = 1 << 20
	maxContext      = 3583
)

// The kinds of invocations.
const (
	waits  = "RequestResponse"
	queues = "Event"
	dry    = "DryRun"
)

func (a *API) invoke(w http.ResponseWriter, r *http.Request) {
	t, input, ok := a.begin(w, r, waits, queues, dry)
	if !ok {
		return
	}
	got, err := a.Invoker.Invoke(r.Context(), input)
	if err != nil {
		writeFailure(w, err)
		return
	}
	if input.Async {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	h := w.Header()
	h.Set("X-Amz-Executed-Version", t.executed(got.Release))
	if got.FunctionError != "" {
		h.Set("X-Amz-Function-Error", "Unhandled")
	}
	if input.Tail {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(got.LogTail))
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(got.Payload)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(got.Payload) // a client that has left needs no answer
}

// begin reads an invocation of one of the kinds. It answers one that cannot be, or that is dry, and reports false.
func (a *API) begin(w http.ResponseWriter, r *http.Request, kinds ...string) (*target, aloft.InvokeInput, bool) {
	kind := cmp.Or(r.Header.Get("X-Amz-Invocation-Type"), waits)
	var t *target
	var input aloft.InvokeInput
	err := invalid("The invocation type must be one of %s.", strings.Join(kinds, ", "))
	if slices.Contains(kinds, kind) {
		t, input, err = a.event(w, r, kind)
	}
	switch {
	case err != nil:
		writeFailure(w, err)
	case kind == dry:
		w.WriteHeader(http.StatusNoContent)
	}
	return t, input, err == nil && kind != dry
}

// executed is the version that worked on an event.
func (t *target) executed(release int) string {
	if t.version() == latest {
		return latest
	}
	return strconv.Itoa(release)
}

// event reads an invocation.
func (a *API) event(w http.ResponseWriter, r *http.Request, kind string) (*target, aloft.InvokeInput, error) {
	var input aloft.InvokeInput
	t, err := a.found(r)
	if err != nil {
		return nil, input, err
	}
	input = aloft.InvokeInput{
		Stage: t.stage.StageRef, Function: t.function.Name, RequestID: w.Header().Get("X-Amzn-Requestid"),
		Tail: r.Header.Get("X-Amz-Log-Type") == "Tail", Async: kind == queues,
	}
	input.Qualifier, input.Trace = t.route(), lineage.Of(r)
	if !input.Async && a.Ends != nil && a.Ends(r.Context(), input) { // others become dead letters
		return nil, input, &Failure{"RecursiveInvocationException", http.StatusBadRequest, fmt.Sprintf("The function was invoked %d times by what came of one event.", lineage.Most)}
	}
	if input.Payload, err = payload(r, kind); err != nil {
		return nil, input, err
	}
	input.ClientContext, err = clientContext(r.Header.Get("X-Amz-Client-Context"))
	return t, input, err
}

// route is the qualifier for an invoker: aliases are its too, except those of $LATEST.
func (t *target) route() string {
	if t.latest && t.qualifier != aloft.CurrentAlias && t.qualifier != t.stage.Stage {
		return latest
	}
	return t.qualifier
}

func payload(r *http.Request, kind string) ([]byte, error) {
	body, err := readAll(r)
	if err != nil {
		return nil, err
	}
	most := maxPayload
	if kind == queues {
		most = maxAsyncPayload
	}
	switch {
	case len(body) > most:
		return nil, &Failure{"RequestTooLargeException", http.StatusRequestEntityTooLarge, fmt.Sprintf("%d byte payload is too large for the %s invocation type (limit %d bytes)", len(body), kind, most)}
	case len(body) == 0:
		return []byte("{}"), nil
	case !json.Valid(body):
		return nil, &Failure{"InvalidRequestContentException", http.StatusBadRequest, "Could not parse request body into json: the payload is no JSON"}
	}
	return body, nil
}

func clientContext(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !json.Valid(plain) || len(text) > maxContext {
		return "", &Failure{"InvalidRequestContentException", http.StatusBadRequest, "Client context must be a valid Base64-encoded JSON object."}
	}
	return string(plain), nil
}

// invokeAsync is how events were queued before Invoke could.
func (a *API) invokeAsync(w http.ResponseWriter, r *http.Request) {
	_, input, err := a.event(w, r, queues)
	if err == nil {
		_, err = a.Invoker.Invoke(r.Context(), input)
	}
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusAccepted, map[string]int{"Status": http.StatusAccepted})
}
