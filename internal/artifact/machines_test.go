package artifact_test

import (
	"maps"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/source"
)

const (
	forIntel = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00 and so on"
	forARM   = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\xb7\x00 and so on"
	forRISCV = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\xf3\x00 and so on"
)

// What machine code is for is read from the files that can be code, and from no others.
func TestMachines(t *testing.T) {
	for name, c := range map[string]struct{ files, want map[string]string }{
		"scripts": {map[string]string{"run.sh*": "#!/bin/sh\nexec node server.js\n", "server.js": "x", "short*": "\x7fELF"}, nil},
		"program": {map[string]string{"bin/app*": forIntel, "bin/tool*": forIntel}, map[string]string{aloft.X8664: "bin/app"}},
		"both":    {map[string]string{"a/x64.node": forIntel, "a/arm64.node": forARM}, map[string]string{aloft.X8664: "a/x64.node", aloft.ARM64: "a/arm64.node"}},
		"library": {map[string]string{"lib/libz.so.1.2": forARM}, map[string]string{aloft.ARM64: "lib/libz.so.1.2"}},
		"data":    {map[string]string{"upload.bin": forIntel}, nil},
		"other":   {map[string]string{"bin/app*": forRISCV}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.files)
			store, _ := open(t)
			made, err := store.Put(t.Context(), pack(t, scan(t, dir, source.Options{}), artifact.PackOptions{}))
			must(t, err)
			got, err := store.Machines(t.Context(), made.Digest)
			if err != nil || !maps.Equal(got, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}
