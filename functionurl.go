package aloft

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// FunctionURL says that a handler function has an address of its own, as Lambda's function URLs are. It is the same for all
// releases of one function of a stage: see StageRef.URLID.
type FunctionURL struct {
	IAM    bool `json:"iam,omitempty"`    // requests must be signed with an access key of the server; else anybody may ask
	Stream bool `json:"stream,omitempty"` // answers are sent while they come
}

// URLID is the first label of the host of a function's URL: 32 letters and digits, always the same for one function of a stage.
func (r StageRef) URLID(function string) string {
	sum := sha256.Sum256([]byte("function URL\x00" + r.String() + "\x00" + function))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
}
