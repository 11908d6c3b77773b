package awstest

import (
	"bytes"
	"io"
	"net/http"
)

// whole sends requests whose bodies it has read before. The SDK (smithy-go 1.28.9, transport/http/client.go) closes a body as
// soon as the answer's headers are there; of a server that answers within a millisecond they may be before net/http has seen
// the body's end, and it then closes the connection that the answer comes from: "use of closed network connection".
type whole struct{}

func (whole) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body == nil || request.Body == http.NoBody {
		return http.DefaultTransport.RoundTrip(request)
	}
	body, err := io.ReadAll(request.Body)
	_ = request.Body.Close()
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(request)
}
