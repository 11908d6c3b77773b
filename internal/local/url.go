package local

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// FunctionURL is how a function answers at an address of its own.
type FunctionURL struct {
	ID        string
	Qualifier string      // as of InvokeInput
	Signed    bool        // requests are signed by the server's access key
	Whole     bool        // a streamed answer is sent when it is whole
	Header    http.Header // of answers; it wins over what the function says
}

// fill says in an event through what it came.
func (u *FunctionURL) fill(m *lambdahttp.Meta) {
	m.APIID, m.AccountID = u.ID, "anonymous"
	if u.Signed {
		m.AccountID = homeAccount
		m.Authorizer = json.RawMessage(`{"iam":{"accessKey":null,"accountId":"` + homeAccount + `","callerId":"` + homeAccount +
			`","cognitoIdentity":null,"principalOrgId":null,"userArn":"arn:aws:iam::` + homeAccount + `:root","userId":"` + homeAccount + `"}}`)
	}
}

// URLHandler answers requests by events for a handler function. It returns NotFound if there is none.
func (p *Platform) URLHandler(ref aloft.StageRef, name string, u FunctionURL) (http.Handler, error) {
	s := p.known(ref)
	if s == nil {
		return nil, aloft.Errorf(aloft.NotFound, "nothing of %s is deployed", ref)
	}
	f := s.function(name)
	f.Format = lambdahttp.FunctionURL.String()
	return &eventHandler{platform: p, stage: s, release: s.version(), function: f, url: &u}, nil
}

// function is a function of the current release; one that there is not has a name only.
func (s *stage) function(name string) aloft.Function {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.release.Functions {
		if f.Name == name {
			return f
		}
	}
	return aloft.Function{Name: name}
}

// whole sends a streamed reply once it is whole.
func (h *eventHandler) whole(w http.ResponseWriter, r *http.Request, reply *lambdahttp.Reply) {
	body, err := io.ReadAll(io.LimitReader(reply.Body, lambdahttp.MaxPayload+1))
	if err != nil || len(body) > lambdahttp.MaxPayload {
		for name := range reply.Header {
			w.Header().Del(name)
		}
		h.say("a streamed answer is not whole, or too long to be sent as a whole: %v", err)
		answer(w, http.StatusBadGateway, "Internal Server Error")
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(reply.Status)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, bytes.NewReader(body)) // a client that has left has its answer
	}
}
