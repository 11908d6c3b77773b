package aloft

import "strings"

// The words of edges: what a function may do with a resource.
const (
	EdgeRead    = "read"
	EdgeWrite   = "write"
	EdgeSend    = "send"
	EdgeReceive = "receive"
)

// Edge is one of the things that a function uses, as its text "uploads:read" says.
type Edge struct {
	Resource string // its name
	Word     string // one of EdgeWords of its type; "" is all that the type has
}

// CutEdge takes the text of an edge apart.
func CutEdge(text string) Edge {
	name, word, _ := strings.Cut(text, ":")
	return Edge{name, word}
}

// String is the text of an edge.
func (e Edge) String() string {
	if e.Word == "" {
		return e.Resource
	}
	return e.Resource + ":" + e.Word
}

// EdgeWords are the words that edges to resources of a type may have, besides none. A database and a cache have none: who
// reaches them may do what their own accounts allow.
func EdgeWords(kind string) []string {
	switch kind {
	case Bucket, Stream, Table, Search:
		return []string{EdgeRead, EdgeWrite}
	case Queue:
		return []string{EdgeReceive, EdgeSend}
	case Topic, Mail:
		return []string{EdgeSend}
	case Secret:
		return []string{EdgeRead}
	}
	return nil
}

// ResourceTypes are the types of resources, in the order in which people read of them; the local platform has the first four.
func ResourceTypes() []string {
	return []string{Bucket, Queue, Topic, Stream, Table, Postgres, Cache, Search, Mail, Secret}
}
