//go:build !linux

package http1

import (
	"errors"
	"syscall"
)

// hangups is for Linux only.
type hangups struct{}

func newHangups() (*hangups, error) { return nil, errors.ErrUnsupported }

func (*hangups) add(*conn, syscall.RawConn) error { return errors.ErrUnsupported }

func (*hangups) remove(*conn) {}

func (*hangups) close() {}
