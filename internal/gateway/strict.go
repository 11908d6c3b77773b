package gateway

import "net"

type strictListener struct{ *net.TCPListener }
