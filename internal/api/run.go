package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/aloft-run/aloft"
)

// firstMessage bounds the wait for the client to say what to run.
const firstMessage = 10 * time.Second

func (h *handlers) runRoutes() {
	op := h.operation(http.MethodGet, stagePath+"/run", "run", "Run a one-off command with the current release's code and config (WebSocket)")
	op.Responses["101"] = &huma.Response{Description: "A WebSocket: input, output and exit status of the command"}
	huma.Register(h.api, op, h.run)
}

func (h *handlers) run(_ context.Context, in *StagePath) (*huma.StreamResponse, error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
		if err != nil {
			return // Accept has answered
		}
		defer func() { _ = conn.CloseNow() }()
		conn.SetReadLimit(maxBody)
		s := &session{conn: conn, runner: h.Runner, stage: ref}
		s.serve(r.Context())
	}}, nil
}

// session is one one-off command.
type session struct {
	conn   *websocket.Conn
	runner aloft.Runner
	stage  aloft.StageRef
}

// serve runs the command and says how it ended.
func (s *session) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, err := s.request(ctx)
	if err != nil {
		s.reply(ctx, RunReply{Error: NewProblem(err)})
		return
	}
	streams, err := s.open(ctx, request.Terminal)
	if err != nil {
		s.reply(ctx, RunReply{Error: NewProblem(err)})
		return
	}
	chunks := make(chan []byte, RunWindow+1) // and the end of input
	var wg sync.WaitGroup
	wg.Go(func() { s.feed(ctx, streams.input, chunks) })
	wg.Go(func() {
		defer cancel() // the client is gone: so is the command
		defer close(chunks)
		s.read(ctx, chunks, streams.resize)
	})
	streams.run.Stage, streams.run.Command = s.stage, request.Command
	status, err := s.runner.Run(ctx, streams.run)
	streams.end()
	if err != nil {
		s.reply(ctx, RunReply{Error: NewProblem(err)})
	} else {
		s.reply(ctx, RunReply{Exit: &status})
	}
	_ = s.conn.Close(websocket.StatusNormalClosure, "") // ends read
	wg.Wait()
}

func (s *session) request(ctx context.Context) (RunRequest, error) {
	ctx, cancel := context.WithTimeout(ctx, firstMessage)
	defer cancel()
	var request RunRequest
	kind, data, err := s.conn.Read(ctx)
	if err != nil {
		return request, err
	}
	if kind != websocket.MessageText || json.Unmarshal(data, &request) != nil {
		return request, aloft.Errorf(aloft.Invalid, "the first message must be a JSON object with a command")
	}
	return request, request.check()
}

// read takes the client's messages until it goes away. An empty chunk means there is no more input.
func (s *session) read(ctx context.Context, chunks chan<- []byte, resize func(RunSize)) {
	for {
		kind, data, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		if kind == websocket.MessageText {
			var control RunControl
			if json.Unmarshal(data, &control) != nil {
				continue
			}
			if control.Size != nil {
				resize(*control.Size)
			}
			if !control.EOF {
				continue
			}
			data = nil
		} else if len(data) == 0 {
			continue
		}
		select {
		case chunks <- data:
		default:
			return // more than the window allows: the client is broken
		}
	}
}

// feed passes input on to the command and tells the client that it was taken.
func (s *session) feed(ctx context.Context, input io.WriteCloser, chunks <-chan []byte) {
	taken := true // false once the command reads no more; its input is thrown away then
	for data := range chunks {
		if len(data) == 0 {
			_ = input.Close()
			continue
		}
		if taken {
			_, err := input.Write(data)
			taken = err == nil
		}
		s.reply(ctx, RunReply{Ack: 1})
	}
	_ = input.Close()
}

func (s *session) reply(ctx context.Context, reply RunReply) {
	data, err := json.Marshal(reply)
	if err != nil {
		return
	}
	_ = s.conn.Write(ctx, websocket.MessageText, data) // fails only if the client is gone
}

func (s *session) output(ctx context.Context, stream byte) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		for n := 0; n < len(p); {
			chunk := p[n:min(len(p), n+RunChunk)]
			if err := s.conn.Write(ctx, websocket.MessageBinary, append([]byte{stream}, chunk...)); err != nil {
				return n, err
			}
			n += len(chunk)
		}
		return len(p), nil
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
