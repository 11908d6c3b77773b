package shim_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aloft-run/aloft/internal/shim"
)

// TestSignature compares with AWS's own signer.
func TestSignature(t *testing.T) {
	now := time.Date(2026, 11, 29, 17, 0, 0, 0, time.UTC)
	for _, token := range []string{"", "session"} {
		u := &url.URL{Scheme: "https", Host: "secretsmanager.eu-central-1.amazonaws.com", Path: "/"}
		body := []byte(`{"SecretId":"x"}`)
		got := http.Header{}
		for _, f := range shim.Sign("AKID", "secret", token, "eu-central-1", u, "secretsmanager.GetSecretValue", body, now) {
			got.Set(f[0], f[1])
		}
		r, err := http.NewRequest(http.MethodPost, u.String(), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 0 // which the SDK would sign as well
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
		sum := sha256.Sum256(body)
		credentials := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: token}
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), "secretsmanager", "eu-central-1", now); err != nil {
			t.Fatal(err)
		}
		if got.Get("Authorization") != r.Header.Get("Authorization") {
			t.Errorf("we sign\n%s\nthe SDK\n%s", got.Get("Authorization"), r.Header.Get("Authorization"))
		}
	}
}

// TestProcNet: the slow way finds what the kernel's diagnosis finds.
func TestProcNet(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		l, err := net.Listen("tcp", host)
		if err != nil {
			continue // no IPv6 here
		}
		defer l.Close()
		own, quick, slow := inodeOf(t, l.(*net.TCPListener)), false, false // others may have the port at another address
		for _, found := range shim.Listening() {
			quick = quick || found.Inode == own
		}
		for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
			text, _ := os.ReadFile(name)
			for line := range strings.Lines(string(text)) {
				found, ok := shim.ParseListener(line)
				if ok && found.Inode == own {
					slow = true
					conn, err := net.Dial("tcp", found.Addr.String())
					if err != nil {
						t.Errorf("%s: %v", host, err)
						continue
					}
					_ = conn.Close()
				}
			}
		}
		if !quick || !slow {
			t.Errorf("%s was found by the kernel's diagnosis: %t; by /proc: %t", l.Addr(), quick, slow)
		}
	}
}

// inodeOf is by what the kernel tells sockets apart.
func inodeOf(t *testing.T, l *net.TCPListener) uint32 {
	t.Helper()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var stat syscall.Stat_t
	if controlErr := raw.Control(func(fd uintptr) { err = syscall.Fstat(int(fd), &stat) }); err != nil || controlErr != nil {
		t.Fatal(err, controlErr)
	}
	return uint32(stat.Ino)
}
