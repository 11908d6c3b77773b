package lambdaapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"
)

// publish makes a release a version, if it is none.
func (r *record) publish(version int, description string) {
	number := strconv.Itoa(version)
	if _, ok := r.Versions[number]; !ok {
		put(&r.Versions, number, published{Description: description, At: now()})
	}
}

func (a *API) publishVersion(r *http.Request) (any, error) {
	in, t, err := with[struct {
		CodeSha256  string
		Description string
		RevisionID  string `json:"RevisionId"`
	}](a, r)
	if err != nil {
		return nil, err
	}
	if err := fresh(in.RevisionID, t.revision()); err != nil {
		return nil, err
	}
	c := t.facts()
	if sha, ok := text(c[attrSha]); ok && in.CodeSha256 != "" && in.CodeSha256 != sha {
		return nil, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", in.CodeSha256, sha)
	}
	if err := a.change(r.Context(), t, func(rec *record) error { rec.publish(t.release.Version, in.Description); return nil }); err != nil {
		return nil, err
	}
	t.qualifier = strconv.Itoa(t.release.Version)
	return a.configuration(r.Context(), t)
}

func (a *API) listVersions(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	versions, err := a.versions(r.Context(), t)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, v := range versions {
		c, err := a.configuration(r.Context(), v)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return page(r, "Versions", list, 50)
}

// versions returns a function as it is now, and its versions, oldest first.
func (a *API) versions(ctx context.Context, t *target) ([]*target, error) {
	now := *t
	now.qualifier = latest
	list := []*target{&now}
	releases, err := a.Apps.Releases(ctx, t.stage.StageRef, 0)
	if err != nil {
		return nil, err
	}
	for _, release := range slices.Backward(releases) {
		if f, ok := functionOf(release, t.name); ok && t.published(release) {
			list = append(list, &target{
				name: t.name, qualifier: strconv.Itoa(release.Version), stage: t.stage, release: release, function: f, record: t.record,
			})
		}
	}
	return list, nil
}

// deleteVersion makes a version none.
func (a *API) deleteVersion(ctx context.Context, t *target) error {
	if t.qualifier == latest {
		return invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	if t.isAlias {
		return invalid("Deletion of aliases is not currently supported: use DeleteAlias.")
	}
	if !t.own() {
		return conflict("The releases of the app %s are aloft's to keep.", t.stage.App)
	}
	aliases, err := a.aliases(ctx, t)
	if err != nil {
		return err
	}
	for _, alias := range aliases {
		if slices.Contains(alias.Versions(), t.release.Version) {
			return conflict("Version %s is referenced by the alias %s.", t.qualifier, alias.Name)
		}
	}
	return a.change(ctx, t, func(rec *record) error { delete(rec.Versions, t.qualifier); return nil })
}

// text is a part of a FunctionConfiguration that is a text.
func text(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case interface{ MarshalJSON() ([]byte, error) }:
		raw, err := v.MarshalJSON()
		if err != nil {
			return "", false
		}
		plain, err := strconv.Unquote(string(raw))
		return plain, err == nil
	}
	return "", false
}

// setting is a setting of a version or an alias: the qualifier must exist.
func (a *API) setting(r *http.Request) (t *target, key string, err error) {
	if t, err = a.found(r); err != nil {
		return nil, "", err
	}
	if t.qualifier == "" {
		return t, latest, nil
	}
	return t, t.qualifier, nil
}
