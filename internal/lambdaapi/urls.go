package lambdaapi

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// functionURL is an address at which a function answers HTTP requests.
type functionURL struct {
	ID         string
	AuthType   string
	InvokeMode string
	Cors       *cors `json:",omitempty"`
	Created    time.Time
	Changed    time.Time
}

// The values of AuthType and InvokeMode.
const (
	authNone, authIAM    = "NONE", "AWS_IAM"
	buffered, respStream = "BUFFERED", "RESPONSE_STREAM"
)

// URLHost is the suffix of the hosts of function URLs; before it stands the URL's id.
const URLHost = ".lambda-url.localhost"

// urlPrefix is where it is kept which function an URL's id belongs to.
const urlPrefix = "lambda/url/"

// owner is the function that an URL belongs to.
type owner struct{ Name, Qualifier string }

// said is an URL as clients read it.
func (a *API) said(t *target, u functionURL) map[string]any {
	result := map[string]any{
		"FunctionUrl": a.URL(u.ID), "FunctionArn": arn(t.name, t.qualifier), "AuthType": u.AuthType,
		"InvokeMode": u.InvokeMode, "CreationTime": u.Created.Format(time.RFC3339Nano), "LastModifiedTime": u.Changed.Format(time.RFC3339Nano),
	}
	if u.Cors != nil {
		result["Cors"] = u.Cors
	}
	return result
}

// urlChange is the body of CreateFunctionUrlConfig and UpdateFunctionUrlConfig. What is not there stays.
type urlChange struct {
	AuthType   string
	InvokeMode string
	Cors       *cors
}

func (in urlChange) apply(u *functionURL) error {
	if in.AuthType != "" {
		u.AuthType = in.AuthType
	}
	if in.InvokeMode != "" {
		u.InvokeMode = in.InvokeMode
	}
	if in.Cors != nil {
		u.Cors = in.Cors
	}
	if u.AuthType != authNone && u.AuthType != authIAM {
		return invalid("AuthType must be %s or %s.", authNone, authIAM)
	}
	if u.InvokeMode != buffered && u.InvokeMode != respStream {
		return invalid("InvokeMode must be %s or %s.", buffered, respStream)
	}
	u.Changed = now()
	return nil
}

func (a *API) createURL(r *http.Request) (any, error) {
	in, err := read[urlChange](r)
	if err != nil {
		return nil, err
	}
	t, err := a.urlTarget(r)
	if err != nil {
		return nil, err
	}
	if _, exists := t.declared(); exists && t.qualifier == "" {
		return nil, conflict("FunctionUrlConfig exists for this Lambda function: it is in aloft.yml")
	}
	u := functionURL{ID: strings.ToLower(rand.Text() + rand.Text()[:6]), InvokeMode: buffered, Created: now()}
	if err := in.apply(&u); err != nil {
		return nil, err
	}
	err = a.change(r.Context(), t, func(rec *record) error {
		if _, exists := rec.URLs[t.qualifier]; exists {
			return conflict("FunctionUrlConfig exists for this Lambda function")
		}
		put(&rec.URLs, t.qualifier, u)
		return save(r.Context(), a.Docs, urlPrefix+u.ID, owner{t.name, t.qualifier})
	})
	return a.said(t, u), err
}

// urlTarget is the function or the alias of a request about an URL.
func (a *API) urlTarget(r *http.Request) (*target, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	if t.qualifier != "" && !t.isAlias {
		return nil, invalid("The qualifier of a function URL must be an alias.")
	}
	return t, nil
}

// urlOf returns the URL that a request is about.
func (a *API) urlOf(r *http.Request) (*target, functionURL, error) {
	t, err := a.urlTarget(r)
	if err != nil {
		return nil, functionURL{}, err
	}
	u, ok := t.url(t.qualifier)
	if !ok {
		return nil, u, notFound("The resource you requested does not exist.")
	}
	return t, u, nil
}

func (a *API) getURL(r *http.Request) (any, error) {
	t, u, err := a.urlOf(r)
	if err != nil {
		return nil, err
	}
	return a.said(t, u), nil
}

func (a *API) updateURL(r *http.Request) (any, error) {
	in, err := read[urlChange](r)
	if err != nil {
		return nil, err
	}
	t, u, err := a.urlOf(r)
	if err != nil {
		return nil, err
	}
	if err := t.free(); err != nil {
		return nil, err
	}
	if err := in.apply(&u); err != nil {
		return nil, err
	}
	err = a.change(r.Context(), t, func(rec *record) error { put(&rec.URLs, t.qualifier, u); return nil })
	return a.said(t, u), err
}

func (a *API) deleteURL(r *http.Request) (any, error) {
	t, u, err := a.urlOf(r)
	if err != nil {
		return nil, err
	}
	if err := t.free(); err != nil {
		return nil, err
	}
	return nil, a.change(r.Context(), t, func(rec *record) error {
		delete(rec.URLs, t.qualifier)
		return a.Docs.DeleteMeta(r.Context(), urlPrefix+u.ID)
	})
}

func (a *API) listURLs(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	list := []any{}
	qualifiers := slices.Collect(maps.Keys(t.record.URLs))
	if _, ok := t.declared(); ok && !slices.Contains(qualifiers, "") {
		qualifiers = append(qualifiers, "")
	}
	for _, qualifier := range slices.Sorted(slices.Values(qualifiers)) {
		at := *t
		at.qualifier = qualifier
		u, _ := t.url(qualifier)
		list = append(list, a.said(&at, u))
	}
	return page(r, "FunctionUrlConfigs", list, 50)
}

// byID finds the function of an URL.
func (a *API) byID(ctx context.Context, id string) (*target, functionURL, error) {
	of, ok, err := load[owner](ctx, a.Docs, urlPrefix+id)
	if err != nil {
		return nil, functionURL{}, err
	}
	if !ok {
		return a.byDeclared(ctx, id)
	}
	t, err := a.find(ctx, of.Name, of.Qualifier)
	if err != nil {
		return nil, functionURL{}, err
	}
	u, ok := t.url(of.Qualifier)
	if !ok || u.ID != id {
		return nil, u, notFound("no such function URL")
	}
	return t, u, nil
}
