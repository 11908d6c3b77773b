package bucket_test

import (
	"io"
	"strings"
	"testing"
)

// TestSweep: what no object names is removed, what one names is not.
func TestSweep(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir())
	defer func() { _ = store.Close() }()
	if err := store.Create(t.Context(), "pictures", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), "pictures", "a", nil, strings.NewReader("kept"), nil); err != nil {
		t.Fatal(err)
	}
	left, err := store.Write("left over")
	if err != nil {
		t.Fatal(err)
	}
	store.Sweep(t.Context(), -1)
	files, err := store.Files()
	if err != nil || len(files) != 1 || files[0] == left {
		t.Errorf("files %v, %v", files, err)
	}
	_, r, err := store.Get(t.Context(), "pictures", "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if got, _ := io.ReadAll(r); string(got) != "kept" {
		t.Errorf("it holds %q", got)
	}
}
