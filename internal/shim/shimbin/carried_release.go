//go:build release

package shimbin

import _ "embed"

//go:embed bootstrap-amd64.gz
var amd64 []byte

//go:embed bootstrap-arm64.gz
var arm64 []byte

// carried is a compressed shim. The Makefile puts them here.
func carried(arch string) []byte {
	if arch == "arm64" {
		return arm64
	}
	return amd64
}
