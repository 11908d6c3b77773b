package lambdaapi

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
)

// maxLayers is how many layers a function may have ("Lambda quotas").
const maxLayers = 5

// attrLayers is the part of a FunctionConfiguration that names a function's layers.
const attrLayers = "Layers"

// layerUse is a layer as a FunctionConfiguration has it.
type layerUse struct {
	ARN      string `json:"Arn"`
	CodeSize int64
}

var layerVersionPattern = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:([a-zA-Z0-9-_]{1,140}):([1-9]\d{0,8})$`)

// checkLayers refuses lists that Lambda refuses too.
func checkLayers(arns []string) error {
	if len(arns) > maxLayers {
		return invalid("Cannot reference more than %d layers.", maxLayers)
	}
	names := map[string]string{}
	for _, arn := range arns {
		m := layerVersionPattern.FindStringSubmatch(arn)
		if m == nil {
			return invalid("%q is no ARN of a version of a layer.", arn)
		}
		if other, twice := names[m[1]]; twice {
			return invalid("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s are versions of the same layer.", other, arn)
		}
		names[m[1]] = arn
	}
	return nil
}

// layersIn are the layers of a function.
func layersIn(f aloft.Function) []layerUse {
	var uses []layerUse
	_ = json.Unmarshal([]byte(f.Attributes[attrLayers]), &uses) // none is no JSON
	return uses
}

// sameLayers reports whether a function has these layers already: then nothing is to be found, be they deleted by now or not.
func sameLayers(f aloft.Function, arns []string) bool {
	uses := layersIn(f)
	if len(uses) != len(arns) {
		return false
	}
	for i, use := range uses {
		if use.ARN != arns[i] {
			return false
		}
	}
	return true
}

// putLayers gives the function of input the layers that are asked for, later ones over earlier ones. Remove must be called
// when input was used.
func (a *API) putLayers(ctx context.Context, input *aloft.PackageInput, arns *[]string) (remove func(), err error) {
	none := func() {}
	f := &input.Function
	if arns == nil || sameLayers(*f, *arns) {
		return none, nil
	}
	if len(*arns) == 0 {
		f.Opt = ""
		delete(f.Attributes, attrLayers)
		return none, nil
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return none, err
	}
	dir, err := os.MkdirTemp(a.Dir, "unpack-")
	if err != nil {
		return none, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // a leftover is removed at the next start
	uses, err := a.mergeLayers(ctx, dir, *arns)
	if err == nil {
		var text []byte
		text, err = json.Marshal(uses)
		put(&f.Attributes, attrLayers, string(text))
	}
	if err != nil {
		remove()
		return none, err
	}
	input.Opt, input.MaxFiles, input.MaxBytes = filepath.Join(dir, merged), maxFiles, maxUnzipped
	return remove, nil
}

// merged is where layers are put together.
const merged = "opt"

// mergeLayers unpacks layers into the directory merged of dir.
func (a *API) mergeLayers(ctx context.Context, dir string, arns []string) ([]layerUse, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	if err := root.Mkdir(merged, 0o755); err != nil {
		return nil, err
	}
	uses := make([]layerUse, 0, len(arns))
	for i, arn := range arns {
		l, err := a.layerAt(ctx, arn)
		if err != nil {
			return nil, err
		}
		name := strconv.Itoa(i)
		if err := a.unzipLayer(ctx, l, filepath.Join(dir, name)); err != nil {
			return nil, err
		}
		if err := merge(root, name, merged); err != nil {
			return nil, fmt.Errorf("put the layer %s over others: %w", arn, err)
		}
		uses = append(uses, layerUse{ARN: arn, CodeSize: l.Size})
	}
	size, err := sizeOf(filepath.Join(dir, merged))
	if err == nil && size > maxUnzipped {
		err = invalid("Layers consume more than the available size of %d bytes", maxUnzipped)
	}
	return uses, err
}

// layerAt is the layer that an ARN names, of whatever account and region.
func (a *API) layerAt(ctx context.Context, arn string) (layer, error) {
	m := layerVersionPattern.FindStringSubmatch(arn)
	version, err := strconv.Atoi(m[2])
	if err != nil {
		return layer{}, err
	}
	l, ok, err := load[layer](ctx, a.Docs, layerDoc(m[1], version))
	if err == nil && !ok {
		err = invalid("Layer version %s does not exist: this server has those only that were published to it.", arn)
	}
	return l, err
}

func (a *API) unzipLayer(ctx context.Context, l layer, to string) error {
	file, err := os.Open(a.layerFile(l.Digest))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return a.Code.Unzip(ctx, file, l.Size, to, ZipLimits{maxFiles, maxUnzipped})
}

// merge moves what is in one directory of root into another. What has the same name there gives way, but directories are joined.
func merge(root *os.Root, from, to string) error {
	return fs.WalkDir(root.FS(), from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := path.Join(to, strings.TrimPrefix(name, from))
		there, err := root.Lstat(target)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case err == nil && there.IsDir() && e.IsDir():
			return nil
		case err == nil:
			err = root.RemoveAll(target)
		default:
			err = nil
		}
		if err == nil {
			err = root.Rename(name, target)
		}
		if err == nil && e.IsDir() {
			err = fs.SkipDir // it went as a whole
		}
		return err
	})
}

// sizeOf is the sum of the sizes of the files below a directory, in bytes.
func sizeOf(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

// unzippedSize is that of the files of an artifact; of none it is 0.
func (a *API) unzippedSize(digest string) (int64, error) {
	if digest == "" {
		return 0, nil
	}
	artifact, err := a.Code.Open(digest)
	if err != nil {
		return 0, err
	}
	defer func() { _ = artifact.Close() }()
	archive, err := zip.NewReader(artifact, artifact.Size())
	if err != nil {
		return 0, fmt.Errorf("read the artifact %s: %w", digest, err)
	}
	var size int64
	for _, f := range archive.File {
		size += int64(f.UncompressedSize64)
	}
	return size, nil
}

// checkSize refuses code and layers that are too large together. Digest is the artifact of the code if input does not bring it.
func (a *API) checkSize(input aloft.PackageInput, digest string) error {
	if input.Opt == "" && input.Function.Opt == "" {
		return nil // the code was looked at when it was unpacked
	}
	part := func(dir, digest string) (int64, error) {
		if dir != "" {
			return sizeOf(dir)
		}
		return a.unzippedSize(digest)
	}
	code, err := part(input.Dir, digest)
	if err != nil {
		return err
	}
	layers, err := part(input.Opt, input.Function.Opt)
	if err == nil && code+layers > maxUnzipped {
		err = invalid("Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.", maxUnzipped, code+layers)
	}
	return err
}
