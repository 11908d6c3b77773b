package artifact

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/source"
)

// maxRatio is more than deflate can reach (1032:1): a file that declares more lies.
const maxRatio = 1100

// plan is what an archive holds, checked as a whole before anything is written.
type plan struct {
	files map[string][]*zip.File // by directory
	links []link
	dirs  []string // parents before children
}

type link struct{ path, target string }

// bounds are what an archive may hold.
type bounds struct {
	files   int
	bytes   uint64
	foreign bool // it was not written by Pack: directories and what belongs to git are left out
}

// planOf reads an archive's directory and refuses whatever Pack would not have written.
func planOf(from io.ReaderAt, size int64, most bounds) (*plan, error) {
	r, err := zip.NewReader(from, size)
	if err != nil {
		return nil, err
	}
	r.RegisterDecompressor(zip.Deflate, new(inflaters).open)
	if len(r.File) > most.files {
		return nil, fmt.Errorf("more than %d files", most.files)
	}
	p := &plan{files: map[string][]*zip.File{}}
	entries := make(map[string]bool, len(r.File))
	var bytes uint64
	for _, f := range r.File {
		if most.foreign && (strings.HasSuffix(f.Name, "/") || slices.Contains(strings.Split(f.Name, "/"), ".git")) {
			continue
		}
		if err := checkFile(f); err != nil {
			return nil, fmt.Errorf("%.100q: %w", f.Name, err)
		}
		if entries[f.Name] {
			return nil, fmt.Errorf("%q: named twice", f.Name)
		}
		entries[f.Name] = true
		if bytes += f.UncompressedSize64; bytes > most.bytes {
			return nil, fmt.Errorf("more than %d MB", most.bytes>>20)
		}
		if err := p.add(f); err != nil {
			return nil, fmt.Errorf("%q: %w", f.Name, err)
		}
	}
	return p, p.addDirs(entries)
}

func checkFile(f *zip.File) error {
	kind := f.Mode().Type()
	switch {
	case !fs.ValidPath(f.Name) || f.Name == "." || strings.ContainsRune(f.Name, 0) || len(f.Name) > source.MaxPath:
		return errors.New("not a path inside the app")
	case slices.Contains(strings.Split(f.Name, "/"), ".git"):
		return errors.New("belongs to git")
	case kind != 0 && kind != fs.ModeSymlink:
		return errors.New("neither file nor link")
	case f.Method != zip.Store && f.Method != zip.Deflate || f.Flags&1 != 0:
		return errors.New("packed in an unknown way")
	case f.UncompressedSize64 > source.MaxBytes || f.UncompressedSize64 > maxRatio*(f.CompressedSize64+1):
		return errors.New("declares more than it can hold")
	}
	return nil
}

func (p *plan) add(f *zip.File) error {
	if f.Mode().Type() == 0 {
		dir := path.Dir(f.Name)
		p.files[dir] = append(p.files[dir], f)
		return nil
	}
	if f.UncompressedSize64 > source.MaxPath {
		return errors.New("link too long")
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	target, err := io.ReadAll(io.LimitReader(r, source.MaxPath+1))
	if err != nil {
		return err
	}
	p.links = append(p.links, link{f.Name, string(target)})
	return source.CheckLink(f.Name, string(target))
}

// addDirs lists the directories of all entries. None of them may be an entry itself: a file, or a link to elsewhere.
func (p *plan) addDirs(entries map[string]bool) error {
	seen := map[string]bool{".": true}
	for name := range entries {
		for dir := path.Dir(name); !seen[dir]; dir = path.Dir(dir) {
			if entries[dir] {
				return fmt.Errorf("%q: both a file and a directory", dir)
			}
			seen[dir] = true
			p.dirs = append(p.dirs, dir)
		}
	}
	slices.Sort(p.dirs) // a parent is a prefix of its children and so comes first
	return nil
}

// batches cuts the files of each directory into pieces of work.
func (p *plan) batches() [][]*zip.File {
	var list [][]*zip.File
	for _, files := range p.files {
		list = slices.AppendSeq(list, slices.Chunk(files, batchFiles))
	}
	return list
}
