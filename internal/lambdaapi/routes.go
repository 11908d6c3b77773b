package lambdaapi

import (
	"encoding/json"
	"net/http"
	"strings"
)

// The versions of the API at which Lambda's operations came.
const (
	functions = "/2015-03-31/functions"
	one       = functions + "/{name}"
)

func (a *API) functionRoutes() {
	a.handle("POST "+functions, http.StatusCreated, a.createFunction)
	a.handle("GET "+functions, http.StatusOK, a.listFunctions)
	a.handle("GET "+one, http.StatusOK, a.getFunction)
	a.handle("DELETE "+one, http.StatusNoContent, a.deleteFunction)
	a.handle("GET "+one+"/configuration", http.StatusOK, a.getConfiguration)
	a.handle("PUT "+one+"/configuration", http.StatusOK, a.updateConfiguration)
	a.handle("PUT "+one+"/code", http.StatusOK, a.updateCode)
	a.handle("POST "+one+"/versions", http.StatusCreated, a.publishVersion)
	a.handle("GET "+one+"/versions", http.StatusOK, a.listVersions)
	a.handle("POST "+one+"/aliases", http.StatusCreated, a.createAlias)
	a.handle("GET "+one+"/aliases", http.StatusOK, a.listAliases)
	a.handle("GET "+one+"/aliases/{alias}", http.StatusOK, a.getAlias)
	a.handle("PUT "+one+"/aliases/{alias}", http.StatusOK, a.updateAlias)
	a.handle("DELETE "+one+"/aliases/{alias}", http.StatusNoContent, a.deleteAlias)
	a.handle("POST "+one+"/policy", http.StatusCreated, a.addPermission)
	a.handle("GET "+one+"/policy", http.StatusOK, a.getPolicy)
	a.handle("DELETE "+one+"/policy/{sid}", http.StatusNoContent, a.removePermission)
	a.mux.HandleFunc("POST "+one+"/invocations", a.invoke)
	a.mux.HandleFunc("POST /2014-11-13/functions/{name}/invoke-async", a.invokeAsync)
	a.mux.HandleFunc("POST /2021-11-15/functions/{name}/response-streaming-invocations", a.invokeStream)
	a.mux.HandleFunc("GET "+codePath+"{digest}", a.download)
}

func (a *API) settingRoutes() {
	const url, async, provisioned = "/2021-10-31/functions/{name}/url", "/2019-09-25/functions/{name}/event-invoke-config", "/2019-09-30/functions/{name}/provisioned-concurrency"
	a.handle("POST "+url, http.StatusCreated, a.createURL)
	a.handle("GET "+url, http.StatusOK, a.getURL)
	a.handle("PUT "+url, http.StatusOK, a.updateURL)
	a.handle("DELETE "+url, http.StatusNoContent, a.deleteURL)
	a.handle("GET "+url+"s", http.StatusOK, a.listURLs)
	a.handle("PUT "+async, http.StatusOK, a.putEventInvoke)
	a.handle("POST "+async, http.StatusOK, a.updateEventInvoke)
	a.handle("GET "+async, http.StatusOK, a.getEventInvoke)
	a.handle("DELETE "+async, http.StatusNoContent, a.deleteEventInvoke)
	a.handle("GET "+async+"/list", http.StatusOK, a.listEventInvoke)
	a.handle("PUT /2017-10-31/functions/{name}/concurrency", http.StatusOK, a.putConcurrency)
	a.handle("DELETE /2017-10-31/functions/{name}/concurrency", http.StatusNoContent, a.deleteConcurrency)
	a.handle("GET /2019-09-30/functions/{name}/concurrency", http.StatusOK, a.getConcurrency)
	a.handle("PUT "+provisioned, http.StatusAccepted, a.putProvisioned)
	a.handle("GET "+provisioned, http.StatusOK, a.getProvisioned)
	a.handle("DELETE "+provisioned, http.StatusNoContent, a.deleteProvisioned)
	a.handle("GET /2021-07-20/functions/{name}/runtime-management-config", http.StatusOK, a.getRuntimeManagement)
	a.handle("PUT /2021-07-20/functions/{name}/runtime-management-config", http.StatusOK, a.putRuntimeManagement)
	a.handle("GET /2024-08-31/functions/{name}/recursion-config", http.StatusOK, a.getRecursion)
	a.handle("PUT /2024-08-31/functions/{name}/recursion-config", http.StatusOK, a.putRecursion)
	a.handle("GET /2020-06-30/functions/{name}/code-signing-config", http.StatusOK, a.getCodeSigning)
	a.handle("GET /2017-03-31/tags/{arn}", http.StatusOK, a.listTags)
	a.handle("POST /2017-03-31/tags/{arn}", http.StatusNoContent, a.tag)
	a.handle("DELETE /2017-03-31/tags/{arn}", http.StatusNoContent, a.untag)
	a.handle("GET /2016-08-19/account-settings", http.StatusOK, a.accountSettings)
	const mappings = "/2015-03-31/event-source-mappings"
	a.handle("POST "+mappings, http.StatusAccepted, a.createMapping)
	a.handle("GET "+mappings, http.StatusOK, a.listMappings)
	a.handle("GET "+mappings+"/{uuid}", http.StatusOK, a.getMapping)
	a.handle("PUT "+mappings+"/{uuid}", http.StatusAccepted, a.updateMapping)
	a.handle("DELETE "+mappings+"/{uuid}", http.StatusAccepted, a.deleteMapping)
}

// ServeHTTP answers one request. A slash at the end of the path, which older clients send, means nothing.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path := r.URL.Path; len(path) > 1 && strings.HasSuffix(path, "/") {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = strings.TrimRight(path, "/"), strings.TrimRight(r.URL.RawPath, "/")
	}
	a.mux.ServeHTTP(w, r)
}

// handle answers requests of a pattern with what f returns, as JSON; nil is no body.
func (a *API) handle(pattern string, status int, f func(r *http.Request) (any, error)) {
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		result, err := f(r)
		if err != nil {
			writeFailure(w, err)
			return
		}
		writeJSON(w, status, result)
	})
}

func writeJSON(w http.ResponseWriter, status int, result any) {
	if status == http.StatusNoContent || result == nil {
		w.WriteHeader(status)
		return
	}
	body, err := json.Marshal(result)
	if err != nil {
		writeFailure(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has left needs no answer
}

// read reads a request's body into a T; none is the zero value.
func read[T any](r *http.Request) (T, error) {
	var in T
	body, err := readAll(r)
	if err != nil {
		return in, err
	}
	if len(body) == 0 {
		return in, nil
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return in, &Failure{"SerializationException", http.StatusBadRequest, "The request cannot be read: " + err.Error()}
	}
	return in, nil
}

// with reads a request's body and finds the function that its path names.
func with[T any](a *API, r *http.Request) (in T, t *target, err error) {
	if in, err = read[T](r); err == nil {
		t, err = a.found(r)
	}
	return in, t, err
}
