package bucket

import (
	"context"
	"strings"

	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

// Listing says which objects to list.
type Listing struct {
	Prefix    string
	Delimiter string // keys that have it after the prefix are summed up as one common prefix that ends with it
	After     string // only what comes after this key or common prefix
	Max       int    // objects and common prefixes at most
}

// Listed is a page of a listing, in the order of keys' bytes.
type Listed struct {
	Objects  []Object
	Prefixes []string
	Next     string // the Listing.After of the next page, "" if this is the last
}

// Objects lists objects.
func (s *Store) Objects(ctx context.Context, bucket string, l Listing) (Listed, error) {
	var page Listed
	if l.Max <= 0 {
		return page, nil
	}
	last := ""
	from, inclusive := l.start()
	for {
		batch, err := s.from(ctx, bucket, l.Prefix, from, inclusive)
		if err != nil {
			return Listed{}, err
		}
		skip := ""
		for _, o := range batch {
			if skip != "" && strings.HasPrefix(o.Key, skip) {
				continue
			}
			if len(page.Objects)+len(page.Prefixes) == l.Max {
				page.Next = last
				return page, nil
			}
			if skip = l.common(o.Key); skip != "" {
				page.Prefixes = append(page.Prefixes, skip)
				last = skip
				continue
			}
			page.Objects = append(page.Objects, o)
			last = o.Key
		}
		if len(batch) < perQuery {
			return page, nil
		}
		from, inclusive = batch[len(batch)-1].Key, false
		if skip != "" {
			from, inclusive = successor(skip), true
		}
	}
}

// start is the first key of a listing, or the one before it.
func (l Listing) start() (from string, inclusive bool) {
	if l.After < l.Prefix {
		return l.Prefix, true
	}
	if c := l.common(l.After); c != "" && c == l.After {
		return successor(c), true
	}
	return l.After, false
}

// common is the common prefix under which a key is listed, "" if it is listed itself.
func (l Listing) common(key string) string {
	rest, ok := strings.CutPrefix(key, l.Prefix)
	if l.Delimiter == "" || !ok {
		return ""
	}
	if at := strings.Index(rest, l.Delimiter); at >= 0 {
		return key[:len(l.Prefix)+at+len(l.Delimiter)]
	}
	return ""
}

// successor is the first text after all that begin with prefix, "" if there is none.
func successor(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}

const perQuery = 1000 // rows

// from returns objects with a prefix from a key on.
func (s *Store) from(ctx context.Context, bucket, prefix, from string, inclusive bool) ([]Object, error) {
	end := successor(prefix)
	return shelf.Query(ctx, s.db.Reader(), scanObject, selectObject+` WHERE bucket = ? AND key >= ? AND (? OR key > ?) AND (? = '' OR key < ?) ORDER BY key LIMIT ?`,
		bucket, from, inclusive, from, end, end, perQuery)
}
