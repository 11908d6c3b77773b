package static

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

const (
	minCompress = 256      // smaller files gain nothing
	maxCompress = 16 << 20 // larger ones would take memory and time from everything else
	overhead    = 512      // bytes that an entry costs besides its body
)

// key names one form of a file.
type key struct {
	name     string
	encoding string // "", or the name of one
}

// variant is one form of a file as it was at a time.
type variant struct {
	once sync.Once
	size int64
	time time.Time

	etag string
	body []byte // compressed; nil if the file itself is served
	err  error
}

// cache keeps ETags and compressed forms, the most recently used ones that fit.
type cache struct {
	mu      sync.Mutex
	limit   int64
	used    int64
	entries map[key]*list.Element
	recent  *list.List // of *entry, most recent first
}

type entry struct {
	key     key
	variant *variant
	cost    int64
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, entries: map[key]*list.Element{}, recent: list.New()}
}

// get returns a form of an open file, made at most once however many ask for it at once. File is left at its start.
func (c *cache) get(name string, encoding *Encoding, file *os.File, info fs.FileInfo) (*variant, error) {
	k := key{name: name}
	if info.Size() < minCompress || info.Size() > maxCompress {
		encoding = nil
	}
	if encoding != nil {
		k.encoding = encoding.Name
	}
	v := c.lookup(k, info)
	v.once.Do(func() {
		v.err = v.make(encoding, file)
		c.settle(k, v)
	})
	return v, v.err
}

// lookup returns the variant of the file as it is now, perhaps still to be made.
func (c *cache) lookup(k key, info fs.FileInfo) *variant {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[k]; ok {
		v := element.Value.(*entry).variant
		if v.size == info.Size() && v.time.Equal(info.ModTime()) {
			c.recent.MoveToFront(element)
			return v
		}
		c.remove(element)
	}
	v := &variant{size: info.Size(), time: info.ModTime()}
	c.entries[k] = c.recent.PushFront(&entry{key: k, variant: v, cost: overhead})
	c.used += overhead
	return v
}

// settle counts what a variant takes now that it is made, and makes room. A failure is forgotten.
func (c *cache) settle(k key, v *variant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[k]
	if !ok || element.Value.(*entry).variant != v {
		return
	}
	if v.err != nil {
		c.remove(element)
		return
	}
	element.Value.(*entry).cost += int64(len(v.body))
	c.used += int64(len(v.body))
	for c.used > c.limit && c.recent.Len() > 0 {
		c.remove(c.recent.Back())
	}
}

func (c *cache) remove(element *list.Element) {
	e := c.recent.Remove(element).(*entry)
	delete(c.entries, e.key)
	c.used -= e.cost
}

// make reads the file: its digest is the ETag, and it is compressed if that makes it smaller.
func (v *variant) make(encoding *Encoding, file *os.File) error {
	digest := sha256.New()
	var buf bytes.Buffer
	if err := compress(&buf, encoding, io.TeeReader(file, digest)); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	tag := base64.RawURLEncoding.EncodeToString(digest.Sum(nil)[:18])
	if encoding != nil && int64(buf.Len()) < v.size*9/10 {
		v.body = buf.Bytes()
		tag += "-" + encoding.Name // forms that differ in bytes must differ in a strong ETag
	}
	v.etag = `"` + tag + `"`
	return nil
}

// compress writes r to buf in an encoding, as it is if there is none.
func compress(buf *bytes.Buffer, encoding *Encoding, r io.Reader) error {
	if encoding == nil {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	return encoding.Compress(buf, r)
}
