package artifact

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"os"

	"github.com/aloft-run/aloft/internal/source"
)

// Beside an artifact lies a file of records that tell where the compressed content of each file is. It only saves work: it
// may be lost at any time, and a damaged one is not used.
//
// The magic changes with the compressor: content compressed by another version must not be reused, since the same tree
// would then give other bytes. TestGolden fails when that is due.
const recordsMagic = "aloft entries 1\n"

// record says where the content with a digest lies in an artifact. All numbers are little-endian.
type record struct {
	Digest       [sha256.Size]byte
	Offset       int64
	Compressed   uint64
	Uncompressed uint64
	CRC32        uint32 // of the content
	Check        uint32 // of the compressed content, see checkOf
	Method       uint16
}

const recordSize = sha256.Size + 8 + 8 + 8 + 4 + 4 + 2

func recordOf(digest [sha256.Size]byte, offset int64, p *packed) record {
	h := &p.header
	return record{digest, offset, h.CompressedSize64, h.UncompressedSize64, h.CRC32, p.check, h.Method}
}

func encodeRecords(records []record) []byte {
	data := make([]byte, 0, len(recordsMagic)+len(records)*recordSize+sha256.Size)
	data = append(data, recordsMagic...)
	for _, r := range records {
		data = append(data, r.Digest[:]...)
		data = binary.LittleEndian.AppendUint64(data, uint64(r.Offset))
		data = binary.LittleEndian.AppendUint64(data, r.Compressed)
		data = binary.LittleEndian.AppendUint64(data, r.Uncompressed)
		data = binary.LittleEndian.AppendUint32(data, r.CRC32)
		data = binary.LittleEndian.AppendUint32(data, r.Check)
		data = binary.LittleEndian.AppendUint16(data, r.Method)
	}
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

// decodeRecords returns nil for anything that encodeRecords did not write.
func decodeRecords(data []byte) map[[sha256.Size]byte]record {
	body := len(data) - sha256.Size
	if body < len(recordsMagic) || string(data[:len(recordsMagic)]) != recordsMagic ||
		sha256.Sum256(data[:body]) != [sha256.Size]byte(data[body:]) {
		return nil
	}
	records := make(map[[sha256.Size]byte]record, body/recordSize)
	for at := len(recordsMagic); at+recordSize <= body; at += recordSize {
		b := data[at : at+recordSize]
		r := record{Digest: [sha256.Size]byte(b)}
		b = b[sha256.Size:]
		r.Offset = int64(binary.LittleEndian.Uint64(b))
		r.Compressed = binary.LittleEndian.Uint64(b[8:])
		r.Uncompressed = binary.LittleEndian.Uint64(b[16:])
		r.CRC32 = binary.LittleEndian.Uint32(b[24:])
		r.Check = binary.LittleEndian.Uint32(b[28:])
		r.Method = binary.LittleEndian.Uint16(b[32:])
		records[r.Digest] = r
	}
	return records
}

// previous is an earlier artifact to take compressed content from. A nil one has none.
type previous struct {
	blob    *Blob
	records map[[sha256.Size]byte]record
}

// previous returns nil if the artifact or its records are missing or damaged.
func (s *Store) previous(digest string) *previous {
	blob, err := s.Open(digest)
	if err != nil {
		return nil
	}
	list, err := os.ReadFile(s.path(digest) + recordsSuffix)
	records := decodeRecords(list)
	if err != nil || records == nil {
		_ = blob.Close() // read-only
		return nil
	}
	return &previous{blob: blob, records: records}
}

// take fills in the content of e if p has it undamaged.
func (p *previous) take(e source.Entry, to *packed) bool {
	if p == nil {
		return false
	}
	r, ok := p.records[e.Digest]
	if !ok || r.Uncompressed != uint64(e.Size) || r.Compressed > uint64(p.blob.Size()) {
		return false
	}
	data := make([]byte, r.Compressed)
	if _, err := p.blob.ReadAt(data, r.Offset); err != nil || checkOf(data) != r.Check {
		return false
	}
	to.data, to.check = data, r.Check
	to.header.CRC32, to.header.Method = r.CRC32, r.Method
	return true
}

// checkOf guards compressed content against a damaged disk. It costs a tenth of a SHA-256.
func checkOf(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }
