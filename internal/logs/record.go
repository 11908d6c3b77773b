package logs

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
)

// Limits of what one line may hold; Append cuts what is longer.
const (
	maxText = 16 << 20
	maxName = 4 << 10
)

// maxSources ends a block early, so that finding a source stays cheap.
const maxSources = 32

var errDamaged = errors.New("the log is damaged")

// source is what lines of one instance have in common. A block names each source once.
type source struct {
	release                    int
	function, instance, stream string
}

// encoder builds the records of one block. Records are varints and strings with their length in front:
//
//	source number [release function instance stream, if the number is new] | time since the record before, ns | request id | text
type encoder struct {
	buf     []byte // starts with room for the header
	sources []source
	last    int   // the source of the record before: most lines come in runs
	prev    int64 // its time
	maxTime int64
	count   uint32
}

func (e *encoder) reset(buf []byte) {
	*e = encoder{buf: append(buf[:0], make([]byte, headerSize)...), sources: e.sources[:0]}
}

func (e *encoder) add(line *aloft.LogLine) {
	at := nanos(line.Time)
	e.addSource(source{line.Release, clip(line.Function, maxName), clip(line.Instance, maxName), clip(line.Stream, maxName)})
	e.buf = binary.AppendVarint(e.buf, at-e.prev)
	e.buf = appendString(e.buf, clip(line.RequestID, maxName))
	e.buf = appendString(e.buf, clip(line.Text, maxText))
	if e.count == 0 || at > e.maxTime {
		e.maxTime = at
	}
	e.prev = at
	e.count++
}

func (e *encoder) addSource(s source) {
	if e.last >= len(e.sources) || e.sources[e.last] != s {
		e.last = slices.Index(e.sources, s)
	}
	if e.last >= 0 {
		e.buf = binary.AppendUvarint(e.buf, uint64(e.last))
		return
	}
	e.last = len(e.sources)
	e.sources = append(e.sources, s)
	e.buf = binary.AppendUvarint(e.buf, uint64(e.last))
	e.buf = binary.AppendVarint(e.buf, int64(s.release))
	e.buf = appendString(e.buf, s.function)
	e.buf = appendString(e.buf, s.instance)
	e.buf = appendString(e.buf, s.stream)
}

// nanos is the Unix time of t, the nearest there is for one before 1678 or after 2262.
func nanos(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

func clip(s string, limit int) string { return s[:min(len(s), limit)] }

func appendString(buf []byte, s string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(s))), s...)
}

// decoder reads the records of one block. The lines it returns share the memory of all, which nobody changes.
type decoder struct {
	all     string
	pos     int
	sources []source
	prev    int64
	bad     bool
}

// line returns the next line; errDamaged if the records end or make no sense.
func (d *decoder) line(line *aloft.LogLine) error {
	number := d.uvarint()
	if number == uint64(len(d.sources)) && number < maxSources {
		d.sources = append(d.sources, source{int(d.varint()), d.text(), d.text(), d.text()})
	}
	if d.bad || number >= uint64(len(d.sources)) {
		return errDamaged
	}
	s := &d.sources[number]
	line.Release, line.Function, line.Instance, line.Stream = s.release, s.function, s.instance, s.stream
	d.prev += d.varint()
	line.Time = time.Unix(0, d.prev).UTC()
	line.RequestID = d.text()
	line.Text = d.text()
	if d.bad {
		return errDamaged
	}
	return nil
}

func (d *decoder) uvarint() uint64 {
	if d.pos < len(d.all) && d.all[d.pos] < 0x80 { // the usual case
		d.pos++
		return uint64(d.all[d.pos-1])
	}
	var v uint64
	for i := 0; d.pos < len(d.all) && i < binary.MaxVarintLen64; i++ {
		b := d.all[d.pos]
		d.pos++
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.all)-d.pos) {
		d.bad = true
		return ""
	}
	d.pos += int(n)
	return d.all[d.pos-int(n) : d.pos]
}
