package artifact

import (
	"archive/zip"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/source"
)

// PackOptions tune Pack. They never change its result. The zero value is ready.
type PackOptions struct {
	// Store and Reuse name an earlier artifact. The compressed form of files that did not change is taken from there. If
	// it is missing or damaged, everything is compressed anew.
	Store *Store
	Reuse string
}

// The size of a batch of files that one worker compresses, and how many batches may wait for their turn to be written.
const (
	batchFiles = 128
	batchBytes = 1 << 20
	window     = 16
)

// Pack makes a zip of the tree. The same tree gives the same bytes on any machine: order, times and modes are fixed, and
// the compressor is part of this program. It returns an Invalid error that names a file that changed since the scan.
func Pack(ctx context.Context, tree *source.Tree, opt PackOptions) (*Archive, error) {
	var old *previous
	if opt.Store != nil && opt.Reuse != "" {
		if old = opt.Store.previous(opt.Reuse); old != nil {
			defer old.blob.Close()
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &packer{tree: tree, old: old, batches: split(tree.Entries()), slots: make(chan struct{}, window)}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() { p.work(ctx) })
	}
	return p.write(ctx)
}

// batch is a run of entries that one worker compresses.
type batch struct {
	entries []source.Entry
	done    chan []packed // one result
}

// split cuts the entries into batches.
func split(entries []source.Entry) []batch {
	var list []batch
	from, bytes := 0, int64(0)
	for i := range entries {
		full := i-from == batchFiles || bytes+entries[i].Size > batchBytes
		if i > from && full {
			list = append(list, batch{entries[from:i], make(chan []packed, 1)})
			from, bytes = i, 0
		}
		bytes += entries[i].Size
	}
	if from < len(entries) {
		list = append(list, batch{entries[from:], make(chan []packed, 1)})
	}
	return list
}

// packed is an entry as it stands in the zip.
type packed struct {
	header zip.FileHeader
	data   []byte
	check  uint32 // see checkOf
	err    error
}

type packer struct {
	tree    *source.Tree
	old     *previous
	batches []batch
	next    atomic.Int64
	slots   chan struct{} // limits how far the workers run ahead of the writer
}

// work compresses batches in order until there are no more. A worker takes its slot before its batch: so the batch that
// the writer waits for always has one.
func (p *packer) work(ctx context.Context) {
	c := newCompressor(p.tree, p.old)
	for {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		i := int(p.next.Add(1)) - 1
		if i >= len(p.batches) {
			return
		}
		list := make([]packed, 0, len(p.batches[i].entries))
		for _, e := range p.batches[i].entries {
			item := c.pack(ctx, e)
			list = append(list, item)
			if item.err != nil {
				break
			}
		}
		p.batches[i].done <- list
	}
}

// write writes the batches in order.
func (p *packer) write(ctx context.Context) (*Archive, error) {
	out := newSink()
	w := writer{zip: zip.NewWriter(out)}
	err := p.writeBatches(ctx, &w)
	if closeErr := w.zip.Close(); err == nil {
		err = closeErr
	}
	digest := out.close()
	if err != nil {
		return nil, err
	}
	return &Archive{
		artifact: aloft.Artifact{Digest: digest, Size: out.size, Files: len(p.tree.Entries())},
		chunks:   out.chunks, records: w.records,
	}, nil
}

func (p *packer) writeBatches(ctx context.Context, w *writer) error {
	for _, b := range p.batches {
		select {
		case list := <-b.done:
			if err := w.writeAll(list, b.entries); err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("pack: %w", ctx.Err())
		}
		<-p.slots
	}
	return nil
}

// writer writes packed entries to a zip and notes where their content lies.
type writer struct {
	zip     *zip.Writer
	at      int64
	records []record
}

const localHeader = 30 // bytes of a local file header before its name

func (w *writer) writeAll(list []packed, entries []source.Entry) error {
	for i, item := range list {
		if item.err != nil {
			return item.err
		}
		to, err := w.zip.CreateRaw(&item.header)
		if err != nil {
			return fmt.Errorf("pack %q: %w", entries[i].Path, err)
		}
		if _, err := to.Write(item.data); err != nil {
			return fmt.Errorf("pack %q: %w", entries[i].Path, err)
		}
		w.at += localHeader + int64(len(item.header.Name))
		if entries[i].Link == "" {
			w.records = append(w.records, recordOf(entries[i].Digest, w.at, &item))
		}
		w.at += int64(len(item.data))
	}
	return nil
}
