package lambdaapi

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"net/http"

	"github.com/aloft-run/aloft"
)

// chunkSize is how much of an answer one message carries at most, in bytes.
const chunkSize = 32 << 10

// invokeStream is InvokeWithResponseStream: the answer comes in messages of Amazon's event stream encoding.
func (a *API) invokeStream(w http.ResponseWriter, r *http.Request) {
	t, input, ok := a.begin(w, r, waits, dry)
	if !ok {
		return
	}
	got, err := a.Streamer.InvokeStream(r.Context(), input)
	if err != nil {
		writeFailure(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.Header().Set("X-Amz-Executed-Version", t.executed(got.Release))
	w.WriteHeader(http.StatusOK)
	if err := sendStream(w, got, input.Tail); err != nil {
		panic(http.ErrAbortHandler) // the client has left, or must not take the answer for whole
	}
}

// complete is what the last message says.
type complete struct {
	ErrorCode    string `json:",omitempty"`
	ErrorDetails string `json:",omitempty"`
	LogResult    string `json:",omitempty"`
}

func sendStream(w http.ResponseWriter, got aloft.InvokedStream, tail bool) error {
	var last complete
	switch {
	case got.Body != nil:
		err := pump(w, got.Body)
		if failure, ok := errors.AsType[*aloft.InvokeFailure](err); ok {
			last.ErrorCode, last.ErrorDetails, err = "Unhandled", string(failure.Payload), nil
		}
		if err != nil {
			return err
		}
	case got.FunctionError != "":
		last.ErrorCode, last.ErrorDetails = "Unhandled", string(got.Payload)
	default:
		for rest := got.Payload; len(rest) > 0; {
			n := min(len(rest), chunkSize)
			if err := chunk(w, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	if tail && got.Log != nil {
		got.LogTail = got.Log()
	}
	last.LogResult = base64.StdEncoding.EncodeToString(got.LogTail)
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	_, err = w.Write(message("InvokeComplete", "application/json", text))
	return err
}

// pump sends what comes, as it comes.
func pump(w http.ResponseWriter, body io.ReadCloser) error {
	defer func() { _ = body.Close() }()
	flush, b := http.NewResponseController(w), make([]byte, chunkSize)
	for {
		n, err := body.Read(b)
		if n > 0 {
			if err := chunk(w, b[:n]); err != nil {
				return err
			}
			_ = flush.Flush() // what cannot be flushed goes with the end
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func chunk(w io.Writer, text []byte) error {
	_, err := w.Write(message("PayloadChunk", "application/octet-stream", text))
	return err
}

// message is a message of the event stream encoding: lengths, their checksum, headers, payload, checksum of all
// (Amazon Transcribe Developer Guide, "Event stream encoding").
func message(event, kind string, payload []byte) []byte {
	headers := make([]byte, 0, 128)
	for _, h := range [][2]string{{":message-type", "event"}, {":event-type", event}, {":content-type", kind}} {
		const isText = 7
		headers = append(headers, byte(len(h[0])))
		headers = append(headers, h[0]...)
		headers = append(headers, isText)
		headers = binary.BigEndian.AppendUint16(headers, uint16(len(h[1])))
		headers = append(headers, h[1]...)
	}
	const around = 16 // both lengths and both checksums
	b := make([]byte, 0, around+len(headers)+len(payload))
	b = binary.BigEndian.AppendUint32(b, uint32(around+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
