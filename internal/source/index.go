package source

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
	"unsafe"
)

// The index remembers the digests of files between scans, like git's. Its file is the header (magic, time of the scan in
// nanoseconds, number of records), the records, and a checksum of all before it. All numbers are little-endian.
const (
	indexMagic   = "aloft index 1\n\x00\x00"
	indexHeader  = len(indexMagic) + 8 + 8
	recordHeader = 8*4 + 4 + 32 + 2 // size, mtime, ctime, inode; day last seen; digest; length of the path that follows

	forgetAfter = 30 // days that a file outside of the scans' options is remembered
)

// index is a loaded index. A nil index knows nothing.
type index struct {
	written int64 // when the scan that wrote it began
	data    []byte
	records map[string]int // path to the offset of its record
}

// loadIndex returns nil if there is no index or it is damaged.
func loadIndex(file string) *index {
	if file == "" {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil || len(data) < indexHeader+4 || string(data[:len(indexMagic)]) != indexMagic {
		return nil
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != sum {
		return nil
	}
	x := &index{written: int64(binary.LittleEndian.Uint64(body[len(indexMagic):])), data: body}
	count := binary.LittleEndian.Uint64(body[len(indexMagic)+8:])
	if count > uint64(len(body)/recordHeader) {
		return nil
	}
	x.records = make(map[string]int, count)
	for at := indexHeader; at < len(body); {
		path, ok := x.pathAt(at)
		if !ok {
			return nil
		}
		x.records[path] = at
		at += recordHeader + len(path)
	}
	return x
}

// pathAt returns the path of the record at an offset. It shares memory with the data, which nobody changes.
func (x *index) pathAt(at int) (string, bool) {
	if at+recordHeader > len(x.data) {
		return "", false
	}
	length := int(binary.LittleEndian.Uint16(x.data[at+recordHeader-2:]))
	if length == 0 || at+recordHeader+length > len(x.data) {
		return "", false
	}
	return unsafe.String(&x.data[at+recordHeader], length), true
}

func (x *index) lookup(e *Entry) (digest [32]byte, ok bool) {
	if x == nil {
		return digest, false
	}
	at, ok := x.records[e.Path]
	if !ok || x.racy(at) {
		return digest, false
	}
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(x.data[at+8*i:]) }
	same := number(0) == uint64(e.Size) && number(1) == uint64(e.stamp.mtime) &&
		number(2) == uint64(e.stamp.ctime) && number(3) == e.stamp.inode
	if same {
		copy(digest[:], x.data[at+36:])
	}
	return digest, same
}

// racy reports whether the file may have been written after it was hashed without a change of its times.
func (x *index) racy(at int) bool {
	number := func(i int) int64 { return int64(binary.LittleEndian.Uint64(x.data[at+8*i:])) }
	return stamp{mtime: number(1), ctime: number(2)}.fresh(x.written)
}

// saveIndex writes the digests of entries, and what the old index knew of files that these options did not meet. The index
// is only a cache, so nothing is said if it cannot be written.
func saveIndex(file string, old *index, entries []Entry, began int64) {
	if file == "" {
		return
	}
	today := uint32(time.Duration(began) / (24 * time.Hour))
	data := make([]byte, indexHeader, indexHeader+len(entries)*(recordHeader+64))
	seen := make(map[string]bool, len(entries))
	count := uint64(0)
	for i := range entries {
		e := &entries[i]
		seen[e.Path] = true
		if e.Link == "" {
			data = appendRecord(data, e, today)
			count++
		}
	}
	if old != nil {
		for path, at := range old.records {
			day := binary.LittleEndian.Uint32(old.data[at+32:])
			if !seen[path] && !old.racy(at) && day+forgetAfter > today {
				data = append(data, old.data[at:at+recordHeader+len(path)]...)
				count++
			}
		}
	}
	copy(data, indexMagic)
	binary.LittleEndian.PutUint64(data[len(indexMagic):], uint64(began))
	binary.LittleEndian.PutUint64(data[len(indexMagic)+8:], count)
	data = binary.LittleEndian.AppendUint32(data, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	replaceFile(file, data)
}

func appendRecord(data []byte, e *Entry, day uint32) []byte {
	for _, n := range []uint64{uint64(e.Size), uint64(e.stamp.mtime), uint64(e.stamp.ctime), e.stamp.inode} {
		data = binary.LittleEndian.AppendUint64(data, n)
	}
	data = binary.LittleEndian.AppendUint32(data, day)
	data = append(data, e.Digest[:]...)
	data = binary.LittleEndian.AppendUint16(data, uint16(len(e.Path)))
	return append(data, e.Path...)
}

// replaceFile exchanges a file as a whole. A power cut may tear it; the checksum tells.
func replaceFile(file string, data []byte) {
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".tmp-")
	if err != nil {
		return
	}
	_, err = tmp.Write(data)
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // nothing else can be done for a cache
	}
}
