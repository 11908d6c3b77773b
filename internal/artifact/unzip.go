package artifact

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/aloft-run/aloft"
)

// Limits are what a zip of a stranger may hold.
type Limits struct {
	Files int
	Bytes int64
}

// Unzip unpacks a zip of a stranger into dst, which must not exist, as Extract does with an artifact: nothing is written outside
// of dst, and after an error nothing is left. It returns Invalid for what is no zip, for names and links that lead outside, for
// entries that hold more than they declare, and for more than the given files or bytes. Directories without files are left out.
func Unzip(ctx context.Context, from io.ReaderAt, size int64, dst string, most Limits) error {
	plan, err := planOf(from, size, bounds{files: most.Files, bytes: uint64(most.Bytes), foreign: true})
	if err != nil {
		return unusable(err)
	}
	if len(plan.files)+len(plan.links) == 0 {
		return unusable(errors.New("it holds no file"))
	}
	err = plan.extract(ctx, dst)
	if err == nil {
		return nil
	}
	_ = os.RemoveAll(dst) // the first error is the one to tell
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return machine("unpack the zip", err)
	}
	if ctx.Err() != nil {
		return err
	}
	return unusable(err)
}

func unusable(err error) error {
	return aloft.Errorf(aloft.Invalid, "the zip cannot be used: %w", err).
		WithHint("zip the function's files again, from inside their directory: zip -r function.zip .")
}
