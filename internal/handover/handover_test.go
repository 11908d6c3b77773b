package handover_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/handover"
)

// inherited makes this test binary behave as the next server.
const inherited = "HANDOVER_TEST_NEXT"

func TestMain(m *testing.M) {
	if os.Getenv(inherited) != "" {
		if err := next(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// next answers one connection of the inherited listener, and repeats what it was told.
func next() error {
	c, err := handover.Open(3)
	if err != nil {
		return err
	}
	hello, files, err := c.Receive()
	if err != nil || hello.Kind != handover.Hello || len(files) != 2 {
		return fmt.Errorf("hello %+v with %d files: %w", hello, len(files), err)
	}
	l, err := handover.TCP(files[0])
	if err != nil {
		return err
	}
	local, err := handover.Unix(files[1])
	if err != nil {
		return err
	}
	defer local.Close()
	if err := c.Send(handover.Message{Kind: handover.Ready}); err != nil {
		return err
	}
	lines := 0
	for {
		m, _, err := c.Receive()
		if err != nil {
			return err
		}
		if m.Kind == handover.Go {
			break
		}
		lines += len(m.Line.Text)
	}
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	fmt.Fprintf(conn, "%s %d\n", hello.Hello.Version, lines)
	_ = conn.Close()
	if _, _, err := c.Receive(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the end: %w", err)
	}
	return nil
}

// TestListenersPassOn: a process gets listeners with many messages around them; connections that wait in one are answered
// by it, and it learns of our end. The listener here is not changed.
func TestListenersPassOn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	local, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	ours, theirs, err := handover.Pair()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env, cmd.ExtraFiles, cmd.Stderr = append(os.Environ(), inherited+"=1"), []*os.File{theirs}, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	tcp, unix := l.(*net.TCPListener), local.(*net.UnixListener)
	if err := ours.Send(handover.Message{Kind: handover.Hello, Hello: &handover.Greeting{Version: "v1"}}, tcp, unix); err != nil {
		t.Fatal(err)
	}
	if m, _, err := ours.Receive(); err != nil || m.Kind != handover.Ready {
		t.Fatalf("%+v, %v: %s", m, err, said.String())
	}
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	tcp.SetDeadline(time.Now().Add(-time.Second)) // would hang if the listener blocked
	if c, err := tcp.Accept(); err == nil {
		t.Errorf("accepted %v", c)
	}
	l.Close()
	total := 0
	for i := range 2000 {
		text := strings.Repeat("ä", i)
		total += len(text)
		if err := ours.Send(handover.Message{Kind: handover.Log, Stage: &aloft.StageRef{App: "a", Stage: "b"}, Line: &aloft.LogLine{Text: text}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ours.Send(handover.Message{Kind: handover.Go}); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != fmt.Sprintf("v1 %d\n", total) {
		t.Errorf("the next server says %q, want %d, %v", line, total, err)
	}
	ours.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, said.String())
	}
}

// TestNothingComes: who dies, or says nothing, is noticed.
func TestNothingComes(t *testing.T) {
	ours, theirs, err := handover.Pair()
	if err != nil {
		t.Fatal(err)
	}
	ours.SetDeadline(time.Now().Add(10 * time.Millisecond))
	if _, _, err := ours.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("silence: %v", err)
	}
	theirs.Close()
	if ours, theirs, err = handover.Pair(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	if _, _, err := ours.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("death: %v", err)
	}
	if err := ours.Send(handover.Message{Kind: handover.Go}); err == nil {
		t.Error("sent to the dead")
	}
	if _, err := handover.Open(9999); err == nil {
		t.Error("opened what is not there")
	}
}
