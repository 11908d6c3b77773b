package cli

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway"
	"github.com/aloft-run/aloft/internal/handover"
)

// firstGiven is the first descriptor of those that systemd passes to a service, sd_listen_fds(3).
const firstGiven = 3

// givenListeners returns the gateway's listeners that systemd holds for this service (socket activation), nil if there are
// none: connections wait in them while no server runs. They are known by the names "http" and "https", else by their order.
func givenListeners(env map[string]string) (*gateway.Listeners, error) {
	pid, count, names := env["LISTEN_PID"], env["LISTEN_FDS"], strings.Split(env["LISTEN_FDNAMES"], ":")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		delete(env, name) // they are for this process alone
	}
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil //nolint:nilnil // no listeners are no error
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > 2 {
		return nil, aloft.Errorf(aloft.Invalid, "systemd passes %q sockets, not one or two", count).
			WithHint("a socket unit for aloft has one ListenStream for HTTP, or another of the name https as well")
	}
	var given gateway.Listeners
	for i := range n {
		syscall.CloseOnExec(firstGiven + i)
		listener, err := handover.TCP(os.NewFile(uintptr(firstGiven+i), "given"))
		if err != nil {
			return nil, aloft.Errorf(aloft.Invalid, "socket %d of systemd: %w", i, err).WithHint("it must be a TCP socket that listens")
		}
		https := i == 1
		if len(names) == n {
			https = https && names[i] != "http" || names[i] == "https"
		}
		if https {
			given.HTTPS = listener
		} else {
			given.HTTP = listener
		}
	}
	return &given, nil
}
