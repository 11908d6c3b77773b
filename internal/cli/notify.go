package cli

import (
	"net"
	"strings"
)

// notifyEnv names the socket on which systemd wants to hear of a service of Type=notify.
const notifyEnv = "NOTIFY_SOCKET"

// notify tells systemd something, if it asked for that: "READY=1", "MAINPID=12". Caddy says that it is ready too, when only
// the gateway is.
func notify(env map[string]string, state string) {
	path := env[notifyEnv]
	if path == "" {
		return
	}
	if strings.HasPrefix(path, "@") { // abstract
		path = "\x00" + path[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return // who does not listen hears nothing
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(state))
}
