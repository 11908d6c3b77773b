package proxy_test

import (
	"net/netip"
	"strings"
	"testing"
)

// TestTrusted: the word of a trusted proxy counts, as far as it vouches for it, and nobody else's.
func TestTrusted(t *testing.T) {
	for name, tt := range map[string]struct {
		trusted string
		fields  string
		want    []string
	}{
		"nobody is trusted": {"10.0.0.0/8", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n", []string{
			"X-Forwarded-For: 127.0.0.1\n", "X-Real-Ip: 127.0.0.1\n", "X-Forwarded-Proto: http\n", "X-Forwarded-Host: " + host + "\n",
		}},
		"a proxy": {"127.0.0.0/8", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: www.example.com\r\n", []string{
			"X-Forwarded-For: 6.6.6.6, 127.0.0.1\n", "X-Real-Ip: 6.6.6.6\n", "X-Forwarded-Proto: https\n", "X-Forwarded-Host: www.example.com\n",
		}},
		"a client that lies to the proxy": {"127.0.0.0/8", "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX-Forwarded-For: 6.6.6.6\r\n", []string{
			"X-Forwarded-For: 6.6.6.6, 127.0.0.1\n", "X-Real-Ip: 6.6.6.6\n",
		}},
		"two proxies": {"127.0.0.0/8,10.0.0.0/8", "X-Forwarded-For: 1.1.1.1, 6.6.6.6, 10.0.0.9\r\n", []string{
			"X-Forwarded-For: 6.6.6.6, 10.0.0.9, 127.0.0.1\n", "X-Real-Ip: 6.6.6.6\n",
		}},
		"a port": {"127.0.0.0/8", "X-Forwarded-For: 6.6.6.6:1234\r\n", []string{"X-Real-Ip: 6.6.6.6\n"}},
		"IPv6":   {"127.0.0.0/8", "X-Forwarded-For: [2001:db8::1]:443\r\n", []string{"X-Real-Ip: 2001:db8::1\n"}},
		"nonsense": {"127.0.0.0/8", "X-Forwarded-For: 1.1.1.1, unknown\r\nX-Forwarded-Proto: ftp\r\nX-Forwarded-Host: a b\r\n", []string{
			"X-Forwarded-For: 127.0.0.1\n", "X-Real-Ip: 127.0.0.1\n", "X-Forwarded-Proto: http\n", "X-Forwarded-Host: " + host + "\n",
		}},
		"nothing":     {"127.0.0.0/8", "", []string{"X-Forwarded-For: 127.0.0.1\n", "X-Real-Ip: 127.0.0.1\n", "X-Forwarded-Proto: http\n"}},
		"other names": {"127.0.0.0/8", "X-Real-Ip: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nTrue-Client-Ip: 6.6.6.6\r\n", []string{"X-Real-Ip: 127.0.0.1\n"}},
	} {
		b := app(t, echo, func(b *bench) {
			for text := range strings.SplitSeq(tt.trusted, ",") {
				b.trusted = append(b.trusted, netip.MustParsePrefix(text))
			}
		})
		got := b.raw(t, "GET / HTTP/1.1\r\nConnection: close\r\nHost: "+host+"\r\n"+tt.fields+"\r\n")
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in:\n%s", name, want, got)
			}
		}
		client, _, _ := strings.Cut(tt.want[len(tt.want)-1], "\n")
		if _, ip, ok := strings.Cut(client, "X-Real-Ip: "); ok && !strings.HasSuffix(b.lines.wait(t, 1)[0].Text, " "+ip) {
			t.Errorf("%s: the log says %q", name, b.lines.wait(t, 1)[0].Text)
		}
	}
}
