package lambdaapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// layer is a version of a layer. Its zip is a file.
type layer struct {
	Name          string
	Version       int
	Description   string
	License       string
	Runtimes      []string
	Architectures []string
	Created       string
	Digest        string // of the zip, hex
	Size          int64
}

const (
	layers      = "/2018-10-31/layers"
	layerPrefix = "lambda/layer/"
	countPrefix = "lambda/layer-count/"
	layerPath   = "/aloft/layer/"
)

var layerPattern = regexp.MustCompile(`^(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:)?([a-zA-Z0-9-_]{1,140})$`)

func (a *API) layerRoutes() {
	const versions = layers + "/{layer}/versions"
	a.handle("GET "+layers, http.StatusOK, a.listLayers)
	a.handle("POST "+versions, http.StatusCreated, a.publishLayer)
	a.handle("GET "+versions, http.StatusOK, a.listLayerVersions)
	a.handle("GET "+versions+"/{version}", http.StatusOK, a.getLayer)
	a.handle("DELETE "+versions+"/{version}", http.StatusNoContent, a.deleteLayer)
	a.mux.HandleFunc("GET "+layerPath+"{digest}", a.downloadLayer)
}

func layerARN(name string) string { return arnPrefix + "layer:" + name }

func layerDoc(name string, version int) string {
	return fmt.Sprintf("%s%s/%09d", layerPrefix, name, version) // sorts by number
}

func layerName(r *http.Request) (string, error) {
	m := layerPattern.FindStringSubmatch(r.PathValue("layer"))
	if m == nil {
		return "", invalid("%q is no name of a layer.", r.PathValue("layer"))
	}
	return m[1], nil
}

// said is a layer as clients read it in lists.
func (l layer) said() map[string]any {
	result := map[string]any{
		"LayerVersionArn": layerARN(l.Name) + ":" + strconv.Itoa(l.Version), "Version": l.Version, "Description": l.Description,
		"CreatedDate": l.Created, "LicenseInfo": l.License,
	}
	if len(l.Runtimes) > 0 {
		result["CompatibleRuntimes"] = l.Runtimes
	}
	if len(l.Architectures) > 0 {
		result["CompatibleArchitectures"] = l.Architectures
	}
	return result
}

// whole is a layer with where its zip is.
func (a *API) whole(l layer) (any, error) {
	location, err := a.Presign(a.Endpoint() + layerPath + l.Digest)
	if err != nil {
		return nil, err
	}
	digest, err := hex.DecodeString(l.Digest)
	if err != nil {
		return nil, err
	}
	result := l.said()
	result["LayerArn"] = layerARN(l.Name)
	result["Content"] = map[string]any{"Location": location, "CodeSha256": base64.StdEncoding.EncodeToString(digest), "CodeSize": l.Size}
	return result, nil
}

func (a *API) publishLayer(r *http.Request) (any, error) {
	in, err := read[struct {
		Content                 code
		Description             string
		LicenseInfo             string
		CompatibleRuntimes      []string
		CompatibleArchitectures []string
	}](r)
	if err != nil {
		return nil, err
	}
	name, err := layerName(r)
	if err != nil {
		return nil, err
	}
	checked, err := a.unpack(r.Context(), in.Content) // it must be a zip that could be used
	if err != nil {
		return nil, err
	}
	checked.remove()
	zip, err := a.zip(r.Context(), in.Content)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(zip)
	l := layer{
		Name: name, Description: in.Description, License: in.LicenseInfo, Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures,
		Created: timeText(now()), Digest: hex.EncodeToString(sum[:]), Size: int64(len(zip)),
	}
	if err := a.storeLayer(l.Digest, zip); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	last, _, err := load[int](r.Context(), a.Docs, countPrefix+name)
	if err != nil {
		return nil, err
	}
	l.Version = last + 1
	if err := save(r.Context(), a.Docs, countPrefix+name, l.Version); err != nil {
		return nil, err
	}
	if err := save(r.Context(), a.Docs, layerDoc(name, l.Version), l); err != nil {
		return nil, err
	}
	return a.whole(l)
}

func (a *API) layerFile(digest string) string { return filepath.Join(a.Dir, "layers", digest) }

// storeLayer writes a zip under its digest, as a whole or not at all.
func (a *API) storeLayer(digest string, zip []byte) (err error) {
	name := a.layerFile(digest)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(name), "new-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // after a rename there is nothing to remove
	_, err = temp.Write(zip)
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp.Name(), name)
	}
	return err
}

// layersOf returns the layers whose documents begin with a prefix, oldest first.
func (a *API) layersOf(ctx context.Context, prefix string) ([]layer, error) {
	docs, err := a.Docs.Metas(ctx, layerPrefix+prefix)
	if err != nil {
		return nil, err
	}
	var all []layer
	for name, text := range docs {
		var l layer
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(x, y layer) int { return strings.Compare(layerDoc(x.Name, x.Version), layerDoc(y.Name, y.Version)) })
	return all, nil
}

// listLayers lists the newest version of each layer, or finds one by its ARN.
func (a *API) listLayers(r *http.Request) (any, error) {
	if r.URL.Query().Get("find") == "LayerVersion" {
		name, version := cutLast(r.URL.Query().Get("Arn"))
		return a.oneLayer(r, name, version)
	}
	all, err := a.layersOf(r.Context(), "")
	if err != nil {
		return nil, err
	}
	list := []any{}
	for i, l := range all {
		if i+1 == len(all) || all[i+1].Name != l.Name {
			list = append(list, map[string]any{"LayerName": l.Name, "LayerArn": layerARN(l.Name), "LatestMatchingVersion": l.said()})
		}
	}
	return page(r, "Layers", list, 50)
}

// cutLast cuts at the last colon.
func cutLast(text string) (before, after string) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, ""
	}
	return text[:i], text[i+1:]
}

func (a *API) listLayerVersions(r *http.Request) (any, error) {
	name, err := layerName(r)
	if err != nil {
		return nil, err
	}
	all, err := a.layersOf(r.Context(), name+"/")
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, l := range slices.Backward(all) {
		list = append(list, l.said())
	}
	return page(r, "LayerVersions", list, 50)
}

func (a *API) getLayer(r *http.Request) (any, error) {
	return a.oneLayer(r, r.PathValue("layer"), r.PathValue("version"))
}

func (a *API) oneLayer(r *http.Request, text, number string) (any, error) {
	m := layerPattern.FindStringSubmatch(text)
	version, err := strconv.Atoi(number)
	if m == nil || err != nil {
		return nil, invalid("%q is no version of a layer.", text+":"+number)
	}
	l, ok, err := load[layer](r.Context(), a.Docs, layerDoc(m[1], version))
	if err == nil && !ok {
		err = notFound("The resource you requested does not exist.")
	}
	if err != nil {
		return nil, err
	}
	return a.whole(l)
}

// deleteLayer is no error if there is no such version. The zip goes with the last version that has it.
func (a *API) deleteLayer(r *http.Request) (any, error) {
	name, err := layerName(r)
	if err != nil {
		return nil, err
	}
	version, err := strconv.Atoi(r.PathValue("version"))
	if err != nil {
		return nil, invalid("%q is no version.", r.PathValue("version"))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	doc := layerDoc(name, version)
	l, ok, err := load[layer](r.Context(), a.Docs, doc)
	if err != nil || !ok {
		return nil, err
	}
	if err := a.Docs.DeleteMeta(r.Context(), doc); err != nil {
		return nil, err
	}
	rest, err := a.layersOf(r.Context(), "")
	if err != nil || slices.ContainsFunc(rest, func(o layer) bool { return o.Digest == l.Digest }) {
		return nil, err
	}
	return nil, os.Remove(a.layerFile(l.Digest))
}

func (a *API) downloadLayer(w http.ResponseWriter, r *http.Request) {
	digest := r.PathValue("digest")
	if len(digest) != hex.EncodedLen(sha256.Size) || strings.Trim(digest, "0123456789abcdef") != "" {
		writeFailure(w, notFound("There is no such layer."))
		return
	}
	file, err := os.Open(a.layerFile(digest))
	if err != nil {
		writeFailure(w, notFound("There is no such layer."))
		return
	}
	defer func() { _ = file.Close() }()
	w.Header().Set("Content-Type", "application/zip")
	if _, err := io.Copy(w, file); err != nil {
		panic(http.ErrAbortHandler) // the client must not take it for whole
	}
}
