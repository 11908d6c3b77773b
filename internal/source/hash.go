package source

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/aloft-run/aloft"
)

// The size of a batch of files that one worker hashes: large enough to be worth a job, small enough to share the work.
const (
	batchFiles = 64
	batchBytes = 4 << 20
)

// queueHashing takes digests from the index and queues the hashing of the files that it does not know.
func (w *walker) queueHashing(n *node) {
	var batch []int
	var bytes int64
	flush := func(batch []int) {
		if len(batch) > 0 {
			n.dir.retain()
			w.jobs.push(func() { w.hash(n, batch) })
		}
	}
	for i := range n.items {
		it := &n.items[i]
		if it.node != nil || it.entry.Link != "" {
			continue
		}
		if digest, ok := w.index.lookup(&it.entry); ok {
			it.entry.Digest = digest
			continue
		}
		if len(batch) == batchFiles || bytes+it.entry.Size > batchBytes {
			flush(batch)
			batch, bytes = nil, 0
		}
		batch, bytes = append(batch, i), bytes+it.entry.Size
	}
	flush(batch)
}

func (w *walker) hash(n *node, batch []int) {
	defer n.dir.release()
	w.hashed.Add(int64(len(batch)))
	for _, i := range batch {
		if w.jobs.ctx.Err() != nil || w.over(1) || w.failedBefore(n.path) {
			return
		}
		it := &n.items[i]
		if err := hashFile(n.dir.root, it.name, &it.entry); err != nil {
			w.fail(it.entry.Path, err)
		}
	}
}

func hashFile(dir *os.Root, name string, entry *Entry) error {
	f, err := dir.Open(name)
	if err != nil {
		return unreadable(entry.Path, err)
	}
	defer f.Close()
	if err := checkStamp(f, entry); err != nil {
		return err
	}
	h := sha256.New()
	// One byte more than expected shows that the file grew, without reading on for ever.
	n, err := io.Copy(h, io.LimitReader(f, entry.Size+1))
	if err != nil {
		return unreadable(entry.Path, err)
	}
	if n != entry.Size {
		return changed(entry.Path)
	}
	h.Sum(entry.Digest[:0])
	return checkStamp(f, entry)
}

// checkStamp returns an error if the open file is not what the entry says it was.
func checkStamp(f *os.File, entry *Entry) error {
	info, err := f.Stat()
	if err != nil {
		return unreadable(entry.Path, err)
	}
	if stampOf(info) != entry.stamp || info.Size() != entry.Size {
		return changed(entry.Path)
	}
	return nil
}

// readRules adds the ignore files of a directory to those above it.
func readRules(n *node, above *rules, names []string) (*rules, error) {
	r := &rules{parent: above}
	found := false
	for kind, name := range ignoreFiles() {
		if !slices.Contains(names, name) {
			continue
		}
		info, err := n.dir.root.Lstat(name)
		// As in git, an ignore file that is a link does not count.
		if err != nil || info.Mode().Type() != 0 {
			continue
		}
		text, err := readSmall(n.dir.root, name)
		if err != nil {
			return nil, unreadable(n.path+name, err)
		}
		if len(text) > maxIgnoreFile {
			return nil, aloft.Errorf(aloft.Invalid, "%q is larger than %d KB", n.path+name, maxIgnoreFile>>10).WithHint("shorten it")
		}
		r.lists[kind] = patternList{base: n.path, patterns: parsePatterns(string(text))}
		found = true
	}
	if !found {
		return above, nil
	}
	for kind := range r.lists {
		r.lists[kind].base = n.path
	}
	return r, nil
}

const maxIgnoreFile = 1 << 20

func readSmall(dir *os.Root, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIgnoreFile+1))
	if err != nil {
		return nil, fmt.Errorf("read ignore file: %w", err)
	}
	return text, nil
}
