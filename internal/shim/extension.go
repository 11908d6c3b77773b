package shim

import (
	"context"
	"io"
	"net/http"
	"strconv"
)

// registerExtension makes the shim an extension as well, of no events: Lambda sends SIGTERM to the runtime of an environment only
// if there is one, and the server is to hear of its end. Without it the server is killed, which is no reason not to work.
func (r *run) registerExtension(ctx context.Context) {
	const version, registration = "/2020-01-01/extension/", `{"events":[]}`
	head := appendField(appendHead(nil, http.MethodPost, version+"register", r.api), "Lambda-Extension-Name", "aloft")
	head = appendField(head, "Connection", "close")
	head = appendField(head, "Content-Length", strconv.Itoa(len(registration)))
	register := &exchange{link: &link{}, method: http.MethodPost, head: append(head, "\r\n"...), body: []byte(registration)}
	bounded, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	answer, err := register.do(bounded, place(r.api))
	register.close(false)
	if err != nil || answer.status != http.StatusOK {
		return
	}
	head = appendHead(nil, http.MethodGet, version+"event/next", r.api)
	head = appendField(head, "Lambda-Extension-Identifier", answer.header.Get("Lambda-Extension-Identifier"))
	wait := &exchange{link: &link{}, method: http.MethodGet, head: append(head, "\r\n"...)}
	if answer, err = wait.do(ctx, place(r.api)); err == nil {
		_, _ = io.Copy(io.Discard, answer.body) // the environment ends
	}
	wait.close(false)
}
