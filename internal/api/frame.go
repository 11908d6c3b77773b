package api

import "github.com/aloft-run/aloft"

// One-off commands run over a WebSocket. The client's first message is a [RunRequest]. After it, the client's binary messages
// are standard input and its text messages are [RunControl]. The server's binary messages are output after a byte that says
// which ([RunStdout], [RunStderr]); its text messages are [RunReply], of which the one with Exit or Error is the last. Either
// side may just close: the command is killed.

// The first byte of the server's binary messages.
const (
	RunStdout byte = 1
	RunStderr byte = 2
)

// RunWindow is how many messages of input the client may have sent that the server has not acknowledged. It keeps the server
// reading, so that it notices a client that goes away although the command reads no input.
const RunWindow = 8

// RunChunk is the most bytes of one binary message.
const RunChunk = 32 << 10

// RunRequest says what to run.
type RunRequest struct {
	Command  []string     `json:"command"`
	Terminal *RunTerminal `json:"terminal,omitempty"` // the client's terminal; its input and output are bytes of it
}

// RunTerminal describes the client's terminal.
type RunTerminal struct {
	Type string  `json:"type"` // TERM
	Size RunSize `json:"size"`
}

// RunSize is the size of a terminal, in characters.
type RunSize struct {
	Rows uint16 `json:"rows"`
	Cols uint16 `json:"cols"`
}

// RunControl is what the client says besides input.
type RunControl struct {
	EOF  bool     `json:"eof,omitempty"`  // there is no more input
	Size *RunSize `json:"size,omitempty"` // the client's terminal has it now
}

// RunReply is what the server says besides output.
type RunReply struct {
	Ack   int      `json:"ack,omitempty"` // so many more messages of input were taken
	Exit  *int     `json:"exit,omitempty"`
	Error *Problem `json:"error,omitempty"`
}

func (r RunRequest) check() error {
	if len(r.Command) == 0 || r.Command[0] == "" {
		return aloft.Errorf(aloft.Invalid, "no command to run").WithHint("name one: aloft run -- ls -l")
	}
	return nil
}
