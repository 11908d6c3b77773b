package artifact_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
)

// member is an entry of a forged archive.
type member struct {
	name    string
	content string
	mode    fs.FileMode
}

func file(name, content string) member { return member{name, content, 0o644} }
func link(name, target string) member  { return member{name, target, fs.ModeSymlink | 0o777} }

func forge(tb testing.TB, members []member) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(m.mode)
		if m.content == "" {
			h.Method = zip.Store
		}
		to, err := w.CreateHeader(h)
		must(tb, err)
		if m.mode.IsDir() {
			continue
		}
		_, err = to.Write([]byte(m.content))
		must(tb, err)
	}
	must(tb, w.Close())
	return out.Bytes()
}

// jail is a place to unpack into, with things around it that must stay as they are.
type jail struct {
	store  *artifact.Store
	home   string // of the store
	dir    string
	before string
}

func newJail(tb testing.TB) *jail {
	tb.Helper()
	store, home := open(tb)
	j := &jail{store: store, home: home, dir: tb.TempDir()}
	write(tb, j.dir, map[string]string{"outside/secret": "s", "app2/x": "sibling", "x": "-> outside"})
	j.before = listing(tb, j.dir)
	return j
}

func listing(tb testing.TB, dir string) string {
	tb.Helper()
	var b strings.Builder
	must(tb, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		text := ""
		if err == nil && d.Type().IsRegular() {
			data, _ := os.ReadFile(p)
			text = string(data)
		}
		fmt.Fprintln(&b, p, d.Type(), text)
		return err
	}))
	return b.String()
}

// try stores data as it is, unpacks it, and asserts that nothing around changed, and that nothing is left after an error.
func (j *jail) try(tb testing.TB, data []byte) error {
	tb.Helper()
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	must(tb, os.MkdirAll(filepath.Join(j.home, digest[:2]), 0o755))
	must(tb, os.WriteFile(filepath.Join(j.home, digest[:2], digest), data, 0o644))
	defer os.Remove(filepath.Join(j.home, digest[:2], digest))
	dst := filepath.Join(j.dir, "app")
	err := j.store.Extract(tb.Context(), digest, dst)
	if err == nil {
		leavesNoTrap(tb, dst)
		must(tb, os.RemoveAll(dst))
	}
	if after := listing(tb, j.dir); after != j.before {
		tb.Fatalf("after %v\nthere is\n%s\nthere was\n%s", err, after, j.before)
	}
	return err
}

// leavesNoTrap asserts that no link of an unpacked tree leads out of it.
func leavesNoTrap(tb testing.TB, dst string) {
	tb.Helper()
	root, err := os.OpenRoot(dst)
	must(tb, err)
	defer root.Close()
	must(tb, filepath.WalkDir(dst, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type() == fs.ModeSymlink {
			rel, _ := filepath.Rel(dst, p)
			if _, err := root.Stat(rel); err != nil && strings.Contains(err.Error(), "escapes") {
				tb.Errorf("%s leads out: %v", rel, err)
			}
		}
		return err
	}))
}

func hostileArchives() map[string][]member {
	long := strings.Repeat("d/", 6000) + "x"
	return map[string][]member{
		"parent":                {file("../evil", "x")},
		"parent inside":         {file("a/../../evil", "x")},
		"parent that returns":   {file("a/../b", "x")},
		"absolute":              {file("/tmp/evil", "x")},
		"sibling prefix":        {file("../app2/x", "x")},
		"dot":                   {file(".", "x")},
		"dot element":           {file("a/./b", "x")},
		"empty element":         {file("a//b", "x")},
		"NUL":                   {file("a\x00b", "x")},
		"not UTF-8":             {file("a\xff", "x")},
		"absolute link":         {link("l", "/etc/passwd")},
		"climbing link":         {link("l", "../outside")},
		"deep climbing link":    {link("a/l", "../../outside/secret")},
		"link then file":        {link("l", ".."), file("l/evil", "x")},
		"link then file inside": {link("l", "d"), file("l/x", "x")},
		"file through link":     {file("l/x", "x"), link("l", "d")},
		"link chain":            {link("a", "."), link("b", "a/.."), link("c", "b/../outside")},
		"climb through link":    {file("d/e/f", "x"), link("up", "d/e"), link("l", "up/../../../outside")},
		"link over file":        {file("a", "x"), link("a", "b")},
		"file over link":        {link("a", "b"), file("a", "x")},
		"same name twice":       {file("a", "x"), file("a", "y")},
		"file and directory":    {file("a", "x"), file("a/b", "x")},
		"directory and file":    {file("a/b", "x"), file("a", "x")},
		"directory entry":       {{"a/", "", fs.ModeDir | 0o755}},
		"fifo":                  {{"a", "", fs.ModeNamedPipe | 0o644}},
		"device":                {{"a", "", fs.ModeDevice | 0o644}},
		"socket":                {{"a", "", fs.ModeSocket | 0o644}},
		"6,000 deep":            {file(long, "x")},
		"git hook":              {file(".git/hooks/post-checkout", "x")},
		"nested git":            {file("a/.git/config", "x")},
		"empty link":            {link("l", "")},
		"long link":             {link("l", strings.Repeat("a", 5000))},
		"NUL link":              {link("l", "a\x00/../..")},
	}
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	for name, members := range hostileArchives() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coded(t, newJail(t).try(t, forge(t, members)), aloft.Internal, "damaged")
		})
	}
}

func TestSetuidIsDropped(t *testing.T) {
	t.Parallel()
	j := newJail(t)
	data := forge(t, []member{{"a", "x", fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | 0o777}})
	sum := sha256.Sum256(data)
	must(t, os.MkdirAll(filepath.Join(j.home, hex.EncodeToString(sum[:1])), 0o755))
	must(t, os.WriteFile(filepath.Join(j.home, hex.EncodeToString(sum[:1]), hex.EncodeToString(sum[:])), data, 0o644))
	dst := filepath.Join(j.dir, "app")
	must(t, j.store.Extract(t.Context(), hex.EncodeToString(sum[:]), dst))
	if info, err := os.Stat(filepath.Join(dst, "a")); err != nil || info.Mode() != 0o755 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestLyingSizes forges the sizes of an archive's directory.
func TestLyingSizes(t *testing.T) {
	t.Parallel()
	good := forge(t, []member{file("a", strings.Repeat("a", 100_000))})
	central := bytes.LastIndex(good, []byte("PK\x01\x02"))
	for name, size := range map[string]uint32{"less": 10, "more": 100_001, "impossible": 1 << 30, "huge": 1<<32 - 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := bytes.Clone(good)
			for i := range 4 {
				data[central+24+i] = byte(size >> (8 * i))
			}
			coded(t, newJail(t).try(t, data), aloft.Internal, "damaged")
		})
	}
	t.Run("too many files", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("takes a second; run without -short")
		}
		var members []member
		for i := range 200_001 {
			members = append(members, file(fmt.Sprint(i), ""))
		}
		coded(t, newJail(t).try(t, forge(t, members)), aloft.Internal, "more than 200000 files")
	})
}

func TestRandomArchives(t *testing.T) {
	t.Parallel()
	j := newJail(t)
	r := rand.New(rand.NewPCG(5, 6))
	part := func() string {
		return []string{"a", "b", "c", "..", ".", "", "a", "b", "app2", "outside", "x"}[r.IntN(11)]
	}
	path := func() string {
		parts := make([]string, 1+r.IntN(4))
		for i := range parts {
			parts[i] = part()
		}
		return strings.Join(parts, "/")
	}
	refused := 0
	const rounds = 600
	for range rounds {
		var members []member
		for range 1 + r.IntN(4) {
			m := file(path(), "evil")
			if r.IntN(3) == 0 {
				m = link(path(), path())
			}
			members = append(members, m)
		}
		if len(members) == 0 || strings.HasSuffix(members[0].name, "/") {
			continue
		}
		for i := range members {
			members[i].name = strings.TrimRight(members[i].name, "/") + "z"[:r.IntN(2)]
		}
		if j.try(t, forge(t, members)) != nil {
			refused++
		}
	}
	if refused == 0 || refused == rounds {
		t.Errorf("%d of %d refused: the cases do not show both outcomes", refused, rounds)
	}
}

func TestFlippedByte(t *testing.T) {
	t.Parallel()
	store, home := open(t)
	made := put(t, store, small(t, strings.Repeat("x", 500)))
	blob := filepath.Join(home, made.Digest[:2], made.Digest)
	for at := range int(made.Size) {
		flip(t, blob, at)
		dst := filepath.Join(t.TempDir(), "app")
		coded(t, store.Extract(t.Context(), made.Digest, dst), aloft.Internal, made.Short(), "damaged")
		if left, _ := filepath.Glob(dst + "*"); len(left) > 0 {
			t.Fatalf("left over: %v", left)
		}
		flip(t, blob, at)
	}
}

func TestExtractPlace(t *testing.T) {
	t.Parallel()
	store, _ := open(t)
	made := put(t, store, small(t, "1"))
	dst := filepath.Join(t.TempDir(), "app")
	write(t, dst+".partial", map[string]string{"left/by/a/killed": "process"})
	must(t, store.Extract(t.Context(), made.Digest, dst))
	if got, want := listing(t, filepath.Dir(dst)), ""; strings.Contains(got, "killed") || got == want {
		t.Errorf("got %s", got)
	}
	before := listing(t, dst)
	if err := store.Extract(t.Context(), made.Digest, dst); err == nil {
		t.Error("unpacked over what was there")
	}
	if listing(t, dst) != before {
		t.Error("what was there changed")
	}
	coded(t, store.Extract(t.Context(), strings.Repeat("0", 64), dst+"2"), aloft.NotFound)
}

// FuzzExtract feeds any bytes as an artifact: nothing is written outside, and nothing is left after an error.
func FuzzExtract(f *testing.F) {
	for _, members := range [][]member{
		{file("a", "x"), link("l", "a"), file("d/b", strings.Repeat("y", 300))},
		{link("l", ".."), file("l/evil", "x")},
		{file("../evil", "x")},
		{file("a/b", "x"), link("a/l", "../a/b")},
		{},
	} {
		f.Add(forge(f, members))
	}
	f.Add([]byte("PK\x05\x06"))
	j := newJail(f)
	f.Fuzz(func(t *testing.T, data []byte) { _ = j.try(t, data) })
}
