package hostile_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/porttest"
)

// upgradeTLS upgrades a server with HTTPS, under load over HTTP/1.1 and HTTP/2.
func upgradeTLS(t *testing.T, one, two string) {
	t.Helper()
	s := installed(t, one, "")
	secure := porttest.Address(t)
	server := s.Command(context.Background(), "/", "serve", "--https", secure)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	aloftest.Eventually(t, time.Minute, func() error { // or up would start another
		conn, err := net.Dial("unix", filepath.Join(s.Home, "aloft.sock"))
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	s.Up(t, s.dir)
	pem, err := os.ReadFile(filepath.Join(s.Home, "gateway/pki/authorities/local/root.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	rate := 100
	if full() {
		rate = 500
	}
	var loads []*paced
	for _, two := range []bool{false, true} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(!two)
		protocols.SetHTTP2(two)
		loads = append(loads, startPacedWith(t, s, rate, "https://shop.localhost", &http.Transport{
			MaxIdleConnsPerHost: 32, Protocols: protocols, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "shop.localhost"},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, secure)
			},
		}))
	}
	for i := range 4 {
		s.Must(t, nil, s.dir, "upgrade", "--self", []string{two, one}[i%2], "--yes")
	}
	s.settle(t)
	for i, load := range loads {
		load.end()
		t.Logf("HTTPS, HTTP/%d, 4 upgrades: %d of %d requests failed, the slowest took %v", i+1, len(load.failures), load.requests.Load(),
			time.Duration(load.slowest.Load()).Round(time.Millisecond))
		report(t, fmt.Sprintf("failed requests over HTTP/%d", i+1), load.failures)
	}
}
