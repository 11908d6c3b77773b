package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/coder/websocket"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

// Run implements aloft.Runner. A read of input.Stdin that does not return is left behind when the command ends.
func (c *Client) Run(ctx context.Context, input aloft.RunInput) (int, error) {
	path, err := stagePath(input.Stage, "/run")
	if err != nil {
		return 0, err
	}
	conn, response, err := websocket.Dial(ctx, host+path, &websocket.DialOptions{HTTPClient: c.http})
	if err != nil {
		if response != nil && response.Body != nil {
			defer func() { _ = response.Body.Close() }()
			return 0, problem(response)
		}
		return 0, transportError(ctx, err)
	}
	conn.SetReadLimit(1 << 20)
	defer func() { _ = conn.CloseNow() }()
	s := &session{conn: conn, input: input, window: make(chan struct{}, api.RunWindow)}
	request, err := json.Marshal(api.RunRequest{Command: input.Command, Terminal: s.terminal()})
	if err != nil {
		return 0, err
	}
	if err := conn.Write(ctx, websocket.MessageText, request); err != nil {
		return 0, transportError(ctx, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.send(ctx) // ends with ctx, but for a read of Stdin under way
	if input.Terminal != nil {
		go s.watchSize(ctx)
	}
	return s.receive(ctx)
}

// session is the client's side of a one-off command.
type session struct {
	conn   *websocket.Conn
	input  aloft.RunInput // Stdin is the terminal, if there is one
	size   api.RunSize    // of the terminal, as last told to the server
	window chan struct{}  // a token for each message of input not acknowledged yet
}

// send sends the input.
func (s *session) send(ctx context.Context) {
	if s.input.Stdin != nil {
		buffer := make([]byte, api.RunChunk)
		for {
			n, err := s.input.Stdin.Read(buffer)
			if n > 0 && !s.sendChunk(ctx, buffer[:n]) {
				return
			}
			if err != nil {
				break
			}
		}
	}
	eof, err := json.Marshal(api.RunControl{EOF: true})
	if err == nil {
		_ = s.conn.Write(ctx, websocket.MessageText, eof) // the command may have ended
	}
}

func (s *session) sendChunk(ctx context.Context, chunk []byte) bool {
	select {
	case s.window <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	return s.conn.Write(ctx, websocket.MessageBinary, chunk) == nil
}

// receive passes output on until the command has ended.
func (s *session) receive(ctx context.Context) (int, error) {
	for {
		kind, data, err := s.conn.Read(ctx)
		if err != nil {
			return 0, transportError(ctx, err)
		}
		if kind == websocket.MessageBinary {
			if err := s.output(data); err != nil {
				return 0, err
			}
			continue
		}
		var reply api.RunReply
		if err := json.Unmarshal(data, &reply); err != nil {
			return 0, err
		}
		switch {
		case reply.Error != nil:
			return 0, canceled(ctx, reply.Error.Err())
		case reply.Exit != nil:
			return *reply.Exit, nil
		}
		for range min(reply.Ack, len(s.window)) {
			<-s.window
		}
	}
}

func (s *session) output(data []byte) error {
	if len(data) == 0 {
		return errors.New("the server sent an empty message of output")
	}
	var out io.Writer
	switch data[0] {
	case api.RunStdout:
		out = s.input.Stdout
	case api.RunStderr:
		out = s.input.Stderr
	}
	if out == nil {
		return nil
	}
	_, err := out.Write(data[1:])
	return err
}
