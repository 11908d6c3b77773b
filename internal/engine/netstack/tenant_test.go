//go:build linux

package netstack_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine/nettest"
)

// tenantWord is the first argument of a test binary that is to act as the program of an app.
const tenantWord = "netstack-tenant"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == tenantWord {
		os.Exit(tenant(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// result is what came of one thing that a tenant tried; it prints one a line.
type result struct {
	What   string // "tcp 10.0.0.1:80"
	Answer string
	Err    string
}

func tenant(verb string, args []string) int {
	lines := json.NewEncoder(os.Stdout)
	switch verb {
	case "ask": // [NETWORK ADDRESS]…: read what it answers
		for ; len(args) >= 2; args = args[2:] {
			_ = lines.Encode(ask(args[0], args[1]))
		}
	case "send": // ADDRESS BYTES: send noise, end sending, read what comes, compare
		_ = lines.Encode(send(args[0], args[1]))
	case "many": // ADDRESS COUNT: as many connections at once, all held until each has its answer
		for _, r := range many(args[0], args[1]) {
			_ = lines.Encode(r)
		}
	case "flows": // ADDRESS COUNT: one after another, all kept
		fmt.Println(flows(args[0], args[1]))
		select {}
	case "hold": // ADDRESS COUNT: as many connections of each kind, which stay
		hold(args[0], args[1])
	case "stuck": // ADDRESS NOBODY: connections of which nobody reads what comes back, and some that do not come about
		stuck(args[0], args[1])
	case "datagrams": // ADDRESS: of many sizes, and many by one call
		for _, size := range []int{1, 1400, 9000, 60000} {
			_ = lines.Encode(datagrams(args[0], 1, size))
		}
		_ = lines.Encode(datagrams(args[0], 5, 1000))
	}
	return 0
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func ask(network, address string) result {
	r := result{What: network + " " + address}
	c, err := net.DialTimeout(network, address, nettest.Patience)
	if err == nil {
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(nettest.Patience))
		if network == "udp" {
			_, _ = c.Write([]byte("?"))
		}
		b := make([]byte, 5)
		var n int
		n, err = io.ReadFull(c, b)
		r.Answer = string(b[:n])
	}
	r.Err = text(err)
	return r
}

func send(address, size string) result {
	r := result{What: "send " + size + " bytes to " + address}
	n, _ := strconv.ParseInt(size, 10, 64)
	c, err := net.Dial("tcp", address)
	if err != nil {
		r.Err = text(err)
		return r
	}
	defer c.Close()
	sent, got := sha256.New(), sha256.New()
	failed := make(chan error, 1)
	go func() {
		_, err := io.CopyN(io.MultiWriter(c, sent), rand.NewChaCha8([32]byte{}), n)
		if err == nil {
			err = c.(*net.TCPConn).CloseWrite()
		}
		failed <- err
	}()
	begin := time.Now()
	back, err := io.Copy(got, c)
	if other := <-failed; err == nil {
		err = other
	}
	if err == nil && string(sent.Sum(nil)) != string(got.Sum(nil)) {
		err = fmt.Errorf("%d bytes came back, other ones", back)
	}
	r.Err = text(err)
	r.Answer = fmt.Sprintf("%d MB/s each way", int64(float64(back)/1e6/time.Since(begin).Seconds()))
	return r
}

func many(address, count string) []result {
	n, _ := strconv.Atoi(count)
	all := make([]result, n)
	var held, ended sync.WaitGroup
	held.Add(n)
	for i := range n {
		ended.Go(func() {
			all[i].What = "connection " + strconv.Itoa(i)
			c, err := net.Dial("tcp", address)
			held.Done()
			held.Wait()
			if err == nil {
				defer c.Close()
				fmt.Fprintf(c, "%d\n", i)
				all[i].Answer, err = bufio.NewReader(c).ReadString('\n')
			}
			all[i].Err = text(err)
			all[i].Answer = strings.TrimSpace(all[i].Answer)
		})
	}
	ended.Wait()
	return all
}

// datagrams sends some datagrams by one call, for the kernel to cut, and awaits each of them.
func datagrams(address string, count, size int) result {
	r := result{What: fmt.Sprintf("%d datagrams of %d bytes", count, size)}
	c, err := net.Dial("udp", address)
	if err != nil {
		r.Err = text(err)
		return r
	}
	defer c.Close()
	if raw, rawErr := c.(*net.UDPConn).SyscallConn(); rawErr == nil && count > 1 {
		_ = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, size) })
	}
	noise := make([]byte, count*size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	if err == nil {
		_, err = c.Write(noise)
	}
	_ = c.SetDeadline(time.Now().Add(nettest.Patience))
	for b := make([]byte, 1<<16); err == nil && len(noise) > 0; noise = noise[size:] {
		var n int
		if n, err = c.Read(b); err == nil && !bytes.Equal(b[:n], noise[:size]) {
			err = fmt.Errorf("%d other bytes came back", n)
		}
	}
	r.Err = text(err)
	return r
}

func stuck(address, away string) {
	noise := make([]byte, 1<<20)
	for range 5 {
		go func() { _, _ = net.Dial("tcp", away) }()
		c, err := net.Dial("tcp", address)
		for err == nil {
			_ = c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			_, err = c.Write(noise)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("stuck")
	select {}
}

func flows(address, count string) string {
	n, _ := strconv.Atoi(count)
	kept := make([]net.Conn, n)
	for i := range kept {
		c, err := net.Dial("udp", address)
		if err == nil {
			kept[i] = c
			_ = c.SetDeadline(time.Now().Add(nettest.Patience))
			if _, err = c.Write([]byte("x")); err == nil {
				_, err = c.Read(make([]byte, 1))
			}
		}
		if err != nil {
			return fmt.Sprintf("flow %d: %v", i, err)
		}
	}
	return fmt.Sprintf("%d flows", len(kept))
}

func hold(address, count string) {
	n, _ := strconv.Atoi(count)
	var kept []net.Conn
	for range n {
		for _, network := range []string{"tcp", "udp"} {
			c, err := net.Dial(network, address)
			if err == nil {
				_, err = c.Write([]byte("x"))
			}
			if err == nil {
				_, err = c.Read(make([]byte, 1))
			}
			if err != nil {
				fmt.Println(network, err)
				return
			}
			kept = append(kept, c)
		}
	}
	fmt.Println("held", len(kept))
	select {}
}
