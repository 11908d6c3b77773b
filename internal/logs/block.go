package logs

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"

	"github.com/aloft-run/aloft"
)

const (
	headerSize = 40
	magic      = 0x31474c41 // "ALG1"
	maxBlock   = 64 << 20   // bytes; more than any block can have, less than what harms

	compressed = 1 // flag: the payload is a zstd frame of whole blocks
)

// header is in front of every block, little endian:
//
//	magic 4 | flags 4 | payload bytes 4 | lines 4 | number of the first line 8 | newest time, Unix ns 8 | zero 4 | CRC-32C of all this and the payload 4
type header struct {
	flags   uint32
	size    int // of the payload
	count   uint32
	first   uint64
	maxTime int64
	sum     uint32
}

// seal writes the header into the room in front of the payload.
func (h header) seal(block []byte) {
	le := binary.LittleEndian
	le.PutUint32(block, magic)
	le.PutUint32(block[4:], h.flags)
	le.PutUint32(block[8:], uint32(len(block)-headerSize))
	le.PutUint32(block[12:], h.count)
	le.PutUint64(block[16:], h.first)
	le.PutUint64(block[24:], uint64(h.maxTime))
	le.PutUint32(block[32:], 0)
	le.PutUint32(block[36:], blockSum(block[:36], block[headerSize:]))
}

func blockSum(head, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once, by the library
	return crc32.Update(crc32.Checksum(head, table), table, payload)
}

// parseHeader returns false for bytes that are no header. It does not look at the payload.
func parseHeader(b []byte) (header, bool) {
	if len(b) < headerSize {
		return header{}, false
	}
	le := binary.LittleEndian
	h := header{
		flags: le.Uint32(b[4:]), size: int(le.Uint32(b[8:])), count: le.Uint32(b[12:]),
		first: le.Uint64(b[16:]), maxTime: int64(le.Uint64(b[24:])), sum: le.Uint32(b[36:]),
	}
	return h, le.Uint32(b) == magic && h.flags <= compressed && h.size <= maxBlock && h.count > 0
}

// nextBlock splits a whole block off data, unchanged if it is told to verify.
func nextBlock(data []byte, verify bool) (h header, payload, rest []byte, err error) {
	h, ok := parseHeader(data)
	if !ok || len(data)-headerSize < h.size {
		return header{}, nil, nil, errDamaged
	}
	payload, rest = data[headerSize:headerSize+h.size], data[headerSize+h.size:]
	if verify && h.sum != blockSum(data[:36], payload) {
		return header{}, nil, nil, errDamaged
	}
	return h, payload, rest, nil
}

// filter says which blocks may be passed over.
type filter struct {
	from  uint64 // lines with smaller numbers are not wanted
	since int64  // nor are older ones, Unix ns
}

func (f filter) skips(h header) bool {
	return h.maxTime < f.since || h.first+uint64(h.count) <= f.from
}

// unzipper decompresses into memory that it uses again.
type unzipper struct {
	zip *zstd.Decoder
	buf []byte
}

// decodeBlocks yields the lines of whole blocks with their numbers, of all blocks that f does not skip. It returns
// errDamaged where it cannot go on, and nil if yield stopped it.
func decodeBlocks(data []byte, f filter, zip *unzipper, yield func(number uint64, line aloft.LogLine) bool) error {
	_, err := decode(data, f, zip, yield)
	return err
}

func decode(data []byte, f filter, zip *unzipper, yield func(uint64, aloft.LogLine) bool) (more bool, err error) {
	for more = true; more && len(data) > 0; {
		h, payload, rest, err := nextBlock(data, zip != nil) // the outer block's checksum covers the inner ones
		if err != nil {
			return false, err
		}
		data = rest
		switch {
		case f.skips(h):
		case h.flags != compressed:
			more, err = decodeRecords(h, payload, yield)
		case zip == nil: // blocks nest once
			err = errDamaged
		default:
			if zip.buf, err = zip.zip.DecodeAll(payload, zip.buf[:0]); err != nil {
				return false, errDamaged
			}
			more, err = decode(zip.buf, f, nil, yield)
		}
		if err != nil {
			return false, err
		}
	}
	return more, nil
}

func decodeRecords(h header, payload []byte, yield func(number uint64, line aloft.LogLine) bool) (more bool, err error) {
	d := decoder{all: string(payload)} // one copy that all its lines share
	var line aloft.LogLine
	for i := range uint64(h.count) {
		if err := d.line(&line); err != nil {
			return false, err
		}
		if !yield(h.first+i, line) {
			return false, nil
		}
	}
	return true, nil
}
