package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
)

const (
	format     = 1
	keptWrites = 32
)

// head begins every object of the state.
type head struct {
	Format int      `json:"format"`
	Key    string   `json:"key"`              // the object's own, so that none can be taken for another
	Writes []string `json:"writes,omitempty"` // random names of the last writes, the newest last
}

func (h *head) self() *head { return h }

// document is a pointer to the content of an object.
type document[D any] interface {
	*D
	self() *head
}

// load reads an object. Without one it returns errMissing, and leaves the document zero.
func load[D any, P document[D]](ctx context.Context, b *Bucket, key string, into P) (found object, err error) {
	found, err = b.read(ctx, key)
	if err != nil {
		return found, err
	}
	decoder := json.NewDecoder(bytes.NewReader(found.data))
	decoder.DisallowUnknownFields() // rewritten by us they would be lost
	if err := decoder.Decode(into); err != nil {
		return object{}, b.damaged(key, found.data, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return object{}, b.damaged(key, found.data, errors.New("something follows the JSON value"))
	}
	if h := into.self(); h.Format != format || h.Key != key {
		return object{}, b.damaged(key, found.data, aloft.Errorf(aloft.Internal, "it is of format %d and says it is %q", h.Format, h.Key))
	}
	return found, nil
}

// damaged says whether an object is of a newer aloft, or what is wrong with it.
func (b *Bucket) damaged(key string, data []byte, err error) error {
	var h struct{ Format int }
	if json.Unmarshal(data, &h) == nil && h.Format > format {
		return aloft.Errorf(aloft.Conflict, "%s was written by a newer aloft (format %d, this one knows %d)", b.place(key), h.Format, format).
			WithHint("update aloft")
	}
	return aloft.Errorf(aloft.Internal, "%s is damaged, or of a newer aloft: %w", b.place(key), err).
		WithHint("update aloft; if that is no help: the bucket keeps versions, copy the last good one (aws s3api list-object-versions) over the object")
}

// encode returns the JSON of a document. It refuses text that JSON cannot hold: what is stored must come back byte for byte.
func encode(doc any) ([]byte, error) {
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, aloft.Errorf(aloft.Internal, "encode state: %w", err)
	}
	// encoding/json escapes U+FFFD only where it stands for bytes that are not UTF-8.
	if bytes.Contains(bytes.ReplaceAll(data, []byte(`\\`), nil), []byte(`\ufffd`)) {
		return nil, aloft.Errorf(aloft.Invalid, "a command, variable or description holds text that is not UTF-8").
			WithHint("save the file it comes from as UTF-8")
	}
	return data, nil
}

// errSame is returned by a change that changes nothing, and is no error.
var errSame = errors.New("nothing to change")

const (
	maxRaces  = 100 // writers that came before us
	maxUnsure = 3   // writes without an answer, each of them tried again by the SDK
	firstWait = 5 * time.Millisecond
	longWait  = 500 * time.Millisecond
)

// update changes an object by a conditional write, as often as it takes. A missing object is the zero document. Change may be
// called several times, each time with the object as it then is; what update returns is of the call that took effect. A change
// that is refused for what was only remembered is tried on what there is.
func update[D any, P document[D], R any](ctx context.Context, b *Bucket, key string, change func(P) (R, error)) (result R, err error) {
	tried := map[string]R{} // by the name of the write
	lost := 0
	for race := range maxRaces {
		if err := pause(ctx, race); err != nil {
			return result, b.fail(ctx, "write", key, err)
		}
		doc := P(new(D))
		found, err := load(ctx, b, key, doc)
		if err != nil && !errors.Is(err, errMissing) {
			return result, err
		}
		h := doc.self()
		if at := slices.IndexFunc(h.Writes, func(name string) bool { _, ours := tried[name]; return ours }); at >= 0 {
			return tried[h.Writes[at]], nil
		}
		result, err := change(doc)
		switch {
		case err != nil && found.recalled && !errors.Is(err, errSame):
			b.memory.forget(key)
			continue
		case err != nil:
			return result, err
		}
		name := rand.Text()[:12]
		h.Format, h.Key, h.Writes = format, key, append(h.Writes, name)
		h.Writes = slices.Clone(h.Writes[max(0, len(h.Writes)-keptWrites):])
		data, err := encode(doc)
		if err != nil {
			return result, err
		}
		_, err = b.write(ctx, key, data, found.etag)
		_, unknown := errors.AsType[unsure](err)
		switch {
		case err == nil:
			return result, nil
		case unknown && lost < maxUnsure:
			lost++
		case !errors.Is(err, errRaced):
			return result, err
		}
		tried[name] = result // the answer may be that of the SDK's second try
	}
	return result, errRaced
}

// pause waits a random time that grows with the number of races lost, so that writers get out of each other's way.
func pause(ctx context.Context, races int) error {
	if races == 0 {
		return ctx.Err()
	}
	limit := min(firstWait<<min(races, 10), longWait)
	select {
	case <-time.After(mathrand.N(limit)): //nolint:gosec // no secret
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
