package cfn

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Shorten returns a name of at most so many bytes: a longer one ends in its digest.
func Shorten(name string, most int) string {
	if len(name) <= most {
		return name
	}
	digest := Digest(name)
	return strings.TrimRight(name[:most-len(digest)-1], "-.") + "-" + digest
}

// Digest is short, and enough to tell the names of one stack apart.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
