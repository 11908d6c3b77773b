package shimbin_test

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"io"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/shim/shimbin"
)

// mostBytes is how large the shim may be: it is read with each start of an environment.
const mostBytes = 6 << 20

func TestBinary(t *testing.T) {
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	for _, arch := range shimbin.Arches() {
		program, digest, err := shimbin.Binary(t.Context(), arch)
		if err != nil {
			t.Fatal(err)
		}
		again, same, err := shimbin.Binary(t.Context(), arch)
		if err != nil || digest != same || !bytes.Equal(program, again) {
			t.Errorf("%s is %s first and then %s: %v", arch, digest, same, err)
		}
		file, err := elf.NewFile(bytes.NewReader(program))
		if err != nil || file.Machine != machines[arch] || file.Section(".interp") != nil {
			t.Errorf("%s is no static program for it: %v", arch, err)
		}
		if len(program) > mostBytes {
			t.Errorf("%s has %d bytes, more than %d", arch, len(program), mostBytes)
		}
		t.Logf("%s: %d bytes", arch, len(program))
		packed, err := shimbin.Pack(program)
		if err != nil || len(packed) > len(program)/2 {
			t.Errorf("packed it has %d bytes: %v", len(packed), err)
		}
	}
	if _, _, err := shimbin.Binary(t.Context(), "s390x"); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("another processor: %v", err)
	}
}

func TestLayer(t *testing.T) {
	program, _, err := shimbin.Binary(t.Context(), "arm64")
	if err != nil {
		t.Fatal(err)
	}
	layer, digest, err := shimbin.Layer(t.Context(), "arm64")
	if err != nil {
		t.Fatal(err)
	}
	if _, same, err := shimbin.Layer(t.Context(), "arm64"); err != nil || same != digest {
		t.Errorf("the layer is %s first and then %s: %v", digest, same, err)
	}
	z, err := zip.NewReader(bytes.NewReader(layer), int64(len(layer)))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Fatalf("the layer has %v, %v", z.File, err)
	}
	r, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || !bytes.Equal(text, program) {
		t.Errorf("the layer has another program: %v", err)
	}
}
