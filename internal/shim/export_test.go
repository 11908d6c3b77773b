//go:build linux

package shim

import (
	"net/url"
	"time"

	"github.com/aloft-run/aloft/internal/engine/sockdiag"
)

// Sign is the header of a signed call, for a vector of which AWS's SDK says what it is.
func Sign(key, secret, token, region string, u *url.URL, operation string, body []byte, now time.Time) [][2]string {
	return credentials{key: key, secret: secret, token: token, region: region, service: "secretsmanager"}.sign(u, operation, body, now)
}

// ParseListener reads a line of /proc/net/tcp.
func ParseListener(line string) (sockdiag.Listener, bool) { return parseListener(line) }

// Listening lists what listens.
func Listening() []sockdiag.Listener { return listening() }
