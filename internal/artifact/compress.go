package artifact

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"

	"github.com/aloft-run/aloft/internal/source"
)

const (
	level        = 5    // the size of Info-ZIP's default at several times its speed
	dosEpoch     = 0x21 // 1980-01-01, the first day of a zip's calendar
	utf8Names    = 0x800
	unixVersion2 = 3<<8 | 20 // made on Unix, version 2.0: tells readers that the modes count
)

// compressor packs entries, one at a time.
type compressor struct {
	tree  *source.Tree
	old   *previous
	flate *flate.Writer
	copy  []byte
	out   bytes.Buffer
}

func newCompressor(tree *source.Tree, old *previous) *compressor {
	w, err := flate.NewWriter(io.Discard, level)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &compressor{tree: tree, old: old, flate: w, copy: make([]byte, 128<<10)}
}

func (c *compressor) pack(ctx context.Context, e source.Entry) packed {
	p := packed{header: zip.FileHeader{
		Name: e.Path, Flags: utf8Names, UncompressedSize64: uint64(e.Size), Method: zip.Store,
		ModifiedDate: dosEpoch, //nolint:staticcheck // CreateRaw writes this field and not Modified
	}}
	p.header.SetMode(e.Mode)
	p.header.CreatorVersion, p.header.ReaderVersion = unixVersion2, 20
	switch {
	case ctx.Err() != nil:
		p.err = fmt.Errorf("pack: %w", ctx.Err())
	case e.Link != "":
		p.data = []byte(e.Link)
		p.header.UncompressedSize64 = uint64(len(p.data))
		p.header.CRC32 = crc32.ChecksumIEEE(p.data)
	case c.old.take(e, &p):
	default:
		p.err = c.compress(e, &p)
	}
	p.header.CompressedSize64 = uint64(len(p.data))
	return p
}

// compress deflates a file, or stores it as it is if that is not larger.
func (c *compressor) compress(e source.Entry, p *packed) error {
	c.out.Reset()
	c.flate.Reset(&c.out)
	sum := crc32.NewIEEE()
	if err := c.read(e, io.MultiWriter(sum, c.flate)); err != nil {
		return err
	}
	if err := c.flate.Close(); err != nil {
		return fmt.Errorf("compress %q: %w", e.Path, err)
	}
	p.header.CRC32, p.header.Method = sum.Sum32(), zip.Deflate
	if int64(c.out.Len()) >= e.Size {
		c.out.Reset()
		p.header.Method = zip.Store
		if err := c.read(e, &c.out); err != nil {
			return err
		}
	}
	p.data = slices.Clone(c.out.Bytes())
	p.check = checkOf(p.data)
	return nil
}

func (c *compressor) read(e source.Entry, to io.Writer) error {
	f, err := c.tree.Open(e)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(onlyWriter{to}, f, c.copy)
	return err
}

// onlyWriter hides other methods, so that copying uses the buffer that is there.
type onlyWriter struct{ io.Writer }
