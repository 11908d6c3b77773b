package artifact

import (
	"archive/zip"
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// Machines says for which of Lambda's architectures an artifact holds machine code, and for each the first file that does. It
// looks at the beginnings of programs and shared libraries. It returns NotFound if the store does not hold the artifact.
func (s *Store) Machines(ctx context.Context, digest string) (map[string]string, error) {
	blob, err := s.Open(digest)
	if err != nil {
		return nil, err
	}
	defer func() { _ = blob.Close() }() // read-only
	r, err := zip.NewReader(blob, blob.Size())
	if err != nil {
		return nil, damaged(digest, err)
	}
	r.RegisterDecompressor(zip.Deflate, new(inflaters).open)
	slices.SortFunc(r.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	found := map[string]string{}
	for _, f := range r.File {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("look for machine code: %w", err)
		}
		if !maybeMachineCode(f) {
			continue
		}
		machine, err := machineOf(f)
		if err != nil {
			return nil, damaged(digest, err)
		}
		if _, known := found[machine]; machine != "" && !known {
			found[machine] = f.Name
		}
	}
	return found, nil
}

// elfHead is how much of a file says what it is: the identification, the type and the machine, which all ELF files begin with.
const elfHead = 20

func maybeMachineCode(f *zip.File) bool {
	if !f.Mode().IsRegular() || f.UncompressedSize64 < elfHead {
		return false
	}
	name := path.Base(f.Name)
	return f.Mode()&0o111 != 0 || slices.Contains([]string{".so", ".node"}, path.Ext(name)) || strings.Contains(name, ".so.")
}

// machineOf is the architecture that a file is for, "" if it is no machine code, or for one that Lambda does not have.
func machineOf(f *zip.File) (string, error) {
	body, err := f.Open()
	if err != nil {
		return "", fmt.Errorf("open %s: %w", f.Name, err)
	}
	defer func() { _ = body.Close() }() // most of it was not read: that its checksum was not seen is no error
	var head [elfHead]byte
	if _, err := io.ReadFull(body, head[:]); err != nil {
		return "", fmt.Errorf("read %s: %w", f.Name, err)
	}
	if string(head[:4]) != elf.ELFMAG || elf.Data(head[elf.EI_DATA]) != elf.ELFDATA2LSB {
		return "", nil
	}
	switch elf.Machine(binary.LittleEndian.Uint16(head[18:])) { //nolint:exhaustive // Lambda has these two
	case elf.EM_X86_64:
		return aloft.X8664, nil
	case elf.EM_AARCH64:
		return aloft.ARM64, nil
	}
	return "", nil
}
