package artifact_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/source"
)

// sample is a tree with something of everything.
func sample() map[string]string {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	files := map[string]string{
		"server*": "#!/bin/sh\necho hello\n", "empty": "", "link": "-> dir/text", "dir/up": "-> ../server",
		"dir/text": strings.Repeat("the same again and again\n", 200_000), "noise": string(noise), "one": "1",
	}
	for i := range 300 {
		files[fmt.Sprintf("many/%d/f%d.txt", i%7, i)] = strings.Repeat(fmt.Sprintf("line %d\n", i), i)
	}
	return files
}

// TestGolden fails if the bytes of a packed tree change, which a new version of the compressor may cause. Then every
// artifact gets a new digest: say so in the changelog, change recordsMagic, and put the new digest here.
func TestGolden(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, sample())
	const want = "2719d958b4583a67cd218aac83912b41b9e773a6dda2df858268e9f7c3757beb"
	if got := pack(t, scan(t, dir, source.Options{}), artifact.PackOptions{}).Artifact(); got.Digest != want {
		t.Errorf("digest %s, want %s (%d bytes)", got.Digest, want, got.Size)
	}
}

func TestSameTreeSameBytes(t *testing.T) { // not parallel: it changes GOMAXPROCS
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	files := sample()
	var first string
	for _, procs := range []int{1, 2, 3, 16} {
		runtime.GOMAXPROCS(procs)
		dir := t.TempDir()
		write(t, dir, files) // in the random order of a map
		got := pack(t, scan(t, dir, source.Options{}), artifact.PackOptions{}).Artifact().Digest
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("with %d processors the digest is %s, else %s", procs, got, first)
		}
	}
}

func TestArchiveIsAZip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, sample())
	tree := scan(t, dir, source.Options{})
	archive := pack(t, tree, artifact.PackOptions{})
	var written bytes.Buffer
	n, err := archive.WriteTo(&written)
	must(t, err)
	data := written.Bytes()
	if n != archive.Artifact().Size || n != int64(len(data)) {
		t.Errorf("WriteTo gives %d bytes and says %d, size %d", len(data), n, archive.Artifact().Size)
	}
	r, err := zip.NewReader(bytes.NewReader(data), n)
	must(t, err)
	if len(r.File) != archive.Artifact().Files || len(r.File) != len(tree.Entries()) {
		t.Fatalf("%d files, artifact says %d, tree %d", len(r.File), archive.Artifact().Files, len(tree.Entries()))
	}
	for i, e := range tree.Entries() {
		f := r.File[i]
		if f.Name != e.Path || f.Mode() != e.Mode || f.Modified.UTC().Format("2006-01-02 15:04:05") != "1980-01-01 00:00:00" {
			t.Errorf("%s %v %v, want %s %v", f.Name, f.Mode(), f.Modified, e.Path, e.Mode)
		}
		in, err := f.Open()
		must(t, err)
		if _, err := io.Copy(io.Discard, in); err != nil { // checks size and CRC
			t.Errorf("%s: %v", f.Name, err)
		}
		_ = in.Close()
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{"sample": sample(), "odd names": oddNames(2000), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, files)
			tree := scan(t, dir, source.Options{})
			store, _ := open(t)
			made := put(t, store, pack(t, tree, artifact.PackOptions{}))
			dst := filepath.Join(t.TempDir(), "app")
			must(t, store.Extract(t.Context(), made.Digest, dst))
			got := scan(t, dst, source.Options{})
			if got.Digest() != tree.Digest() || len(got.Entries()) != len(tree.Entries()) {
				t.Errorf("%d entries came back of %d", len(got.Entries()), len(tree.Entries()))
			}
			if again := pack(t, got, artifact.PackOptions{}).Artifact(); again != made {
				t.Errorf("packed again it is %v, was %v", again, made)
			}
		})
	}
}

func oddNames(n int) map[string]string {
	r := rand.New(rand.NewPCG(3, 4))
	parts := []string{" ", "\n", "ü", "日本", "🚀", "'", `"`, `\`, "$(x)", ";", "-rf", "*", "?", "[a]", "\t", "\r", "é", "e\u0301", "%2e", "..x", "x..", "~", "\u202e", "\x7f", "C:", "a", "|", "#"}
	files := map[string]string{}
	for i := range n {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		files[fmt.Sprintf("%d%s/%s%d", i%20, parts[i%20], b.String(), i)] = fmt.Sprint(i)
	}
	return files
}

func TestReuseGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := sample()
	write(t, dir, files)
	store, home := open(t)
	old := put(t, store, pack(t, scan(t, dir, source.Options{}), artifact.PackOptions{}))
	write(t, dir, map[string]string{"one": "2", "a new one": strings.Repeat("new ", 1000), "moved/text": files["dir/text"]})
	must(t, os.Remove(filepath.Join(dir, "noise")))
	tree := scan(t, dir, source.Options{})
	want := pack(t, tree, artifact.PackOptions{}).Artifact()
	reuse := artifact.PackOptions{Store: store, Reuse: old.Digest}
	if got := pack(t, tree, reuse).Artifact(); got != want {
		t.Errorf("with reuse %v, without %v", got, want)
	}
	blob := filepath.Join(home, old.Digest[:2], old.Digest)
	for _, file := range []string{blob, blob + ".entries"} {
		good, err := os.ReadFile(file)
		must(t, err)
		for at := 0; at < len(good); at += 1 + len(good)/15 {
			bad := bytes.Clone(good)
			bad[at] ^= 1
			must(t, os.WriteFile(file, bad, 0o600))
			if got := pack(t, tree, reuse).Artifact(); got != want {
				t.Fatalf("a bad byte %d of %s gets into the next artifact", at, filepath.Base(file))
			}
			must(t, os.WriteFile(file, good[:at], 0o600))
			if got := pack(t, tree, reuse).Artifact(); got != want {
				t.Fatalf("%s cut at %d gets into the next artifact", filepath.Base(file), at)
			}
		}
		must(t, os.WriteFile(file, good, 0o600))
	}
	for _, other := range []string{"", "../../etc/passwd", strings.Repeat("0", 64)} {
		if got := pack(t, tree, artifact.PackOptions{Store: store, Reuse: other}).Artifact(); got != want {
			t.Errorf("reuse of %q gives %v", other, got)
		}
	}
}

// TestReuseReadsNothingTwice shows that unchanged files are taken from the earlier artifact: they cannot be read any more.
func TestReuseReadsNothingTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"kept": "1234", "empty": ""})
	tree := scan(t, dir, source.Options{})
	store, _ := open(t)
	made := put(t, store, pack(t, tree, artifact.PackOptions{}))
	must(t, os.Remove(filepath.Join(dir, "kept")))
	if got := pack(t, tree, artifact.PackOptions{Store: store, Reuse: made.Digest}).Artifact(); got != made {
		t.Errorf("got %v, want %v", got, made)
	}
	_, err := artifact.Pack(t.Context(), tree, artifact.PackOptions{})
	coded(t, err, aloft.Invalid, `"kept"`, "changed")
}

func TestPackCanceled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, sample())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := artifact.Pack(ctx, scan(t, dir, source.Options{}), artifact.PackOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("pack: %v", err)
	}
}
