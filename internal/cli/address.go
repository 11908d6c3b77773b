package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway"
)

// The gateway's address if nobody says one is the first free of these.
const (
	defaultHost = "127.0.0.1"
	firstPort   = 7070
	manyPorts   = 100
)

// memory is what a server remembers for the next one: server.json.
type memory struct {
	HTTP string `json:"http"` // the gateway's address
}

// checkAddresses returns Invalid for what is no address.
func checkAddresses(o serveOptions) error {
	for _, address := range []string{o.http, o.https} {
		if address == "" {
			continue
		}
		_, port, err := net.SplitHostPort(address)
		n, numberErr := strconv.ParseUint(port, 10, 16)
		if err != nil || numberErr != nil || n > 65535 {
			return aloft.Errorf(aloft.Invalid, "%q is no address", address).WithHint("for example: --http 127.0.0.1:8080")
		}
	}
	return nil
}

// startGateway starts the gateway on the first address that is free, and remembers it. It takes no connection yet.
func (s *server) startGateway(ctx context.Context) error {
	if s.before != nil {
		return s.gatewayOn(ctx, "", &s.before.gateway)
	}
	if given, err := givenListeners(s.env); err != nil || given != nil {
		if err == nil {
			err = s.gatewayOn(ctx, "", given)
		}
		if err != nil {
			return err
		}
		return writeMemory(s.home, memory{HTTP: s.gateway.HTTPAddr()})
	}
	remembered := readMemory(s.home)
	var err error
	for _, address := range addresses(s.http, remembered.HTTP) {
		err = s.gatewayOn(ctx, address, nil)
		if aloft.ErrorCode(err) != aloft.Conflict {
			break
		}
	}
	if err != nil {
		return err
	}
	if now := s.gateway.HTTPAddr(); now != remembered.HTTP {
		if remembered.HTTP != "" && s.http == "" {
			s.logger.Warn("the address of the gateway is taken, the URLs of all apps change", "before", remembered.HTTP, "now", now)
		}
		return writeMemory(s.home, memory{HTTP: now})
	}
	return nil
}

// gatewayOn starts the gateway on an address, or on listeners of the server before.
func (s *server) gatewayOn(ctx context.Context, address string, inherited *gateway.Listeners) (err error) {
	s.gateway, err = gateway.Start(ctx, gateway.Config{
		HTTP: address, HTTPS: s.https, Table: &s.table, Dir: s.path("gateway"), Access: s.journal.Append, Logger: s.logger,
		Trusted: s.trusted, Uncapped: thisMachine(), Limits: s.limits, Inherited: inherited, Standby: true, Fallback: s.aws,
	})
	return err
}

// addresses are the addresses to try in turn. An address that was asked for is the only one, unless its port is 0: then
// the remembered one comes first.
func addresses(asked, remembered string) []string {
	var list []string
	host, port, _ := net.SplitHostPort(asked)
	switch {
	case asked == "":
		for i := range manyPorts {
			list = append(list, net.JoinHostPort(defaultHost, strconv.Itoa(firstPort+i)))
		}
		host = defaultHost
	case port == "0":
		list = []string{asked}
	default:
		return []string{asked}
	}
	if rememberedHost, _, err := net.SplitHostPort(remembered); err == nil && rememberedHost == host {
		list = slices.Insert(list, 0, remembered)
	}
	return list
}

func memoryPath(home string) string { return filepath.Join(home, "server.json") }

// readMemory returns what was remembered; nothing if that cannot be read, for it is no more than a wish.
func readMemory(home string) memory {
	var m memory
	data, err := os.ReadFile(memoryPath(home))
	if err != nil || json.Unmarshal(data, &m) != nil {
		return memory{}
	}
	return m
}

// writeMemory replaces the file as a whole.
func writeMemory(home string, m memory) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(home, "server.json.*")
	if err != nil {
		return fmt.Errorf("remember the address: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), memoryPath(home))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("remember the address: %w", err)
	}
	return nil
}
