package lambdaapi

import (
	"net"
	"net/http"
	"strings"

	"github.com/aloft-run/aloft"
)

// HTTP has functions answer HTTP requests.
type HTTP interface {
	// Serve makes an event of a request and a response of the function's answer.
	Serve(w http.ResponseWriter, r *http.Request, to HTTPTarget)
}

// HTTPTarget is the function that a function URL leads to.
type HTTPTarget struct {
	aloft.StageRef

	Function  string
	Qualifier string      // as of InvokeInput
	ID        string      // of the URL
	Signed    bool        // by the server's access key
	Whole     bool        // a streamed answer is sent when it is whole
	Header    http.Header // beside those of the answer; it wins over them
}

// TakesHost reports whether a host is that of a function URL.
func TakesHost(host string) bool { return strings.HasSuffix(hostname(host), URLHost) }

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// ServeURL answers a request to a function URL. R is the request as it was sent, clean the same as functions see it.
func (a *API) ServeURL(w http.ResponseWriter, r, clean *http.Request) {
	w.Header().Set("X-Amzn-Requestid", aloft.NewID())
	id := strings.TrimSuffix(hostname(r.Host), URLHost)
	t, u, err := a.byID(r.Context(), id)
	if aloft.ErrorCode(err) == aloft.Unavailable {
		if held, url, ok := a.held(id); ok {
			t, u, err = held, url, nil
		}
	}
	switch {
	case missing(err):
		forbidden(w)
		return
	case err != nil:
		writeFailure(w, &Failure{"ServiceUnavailableException", http.StatusServiceUnavailable, "Service Unavailable"})
		return
	}
	if u.Cors != nil && u.Cors.preflight(w, r) {
		return
	}
	to := HTTPTarget{StageRef: t.stage.StageRef, Function: t.function.Name, ID: u.ID, Signed: u.AuthType == authIAM, Whole: u.InvokeMode == buffered}
	if to.Signed {
		leave, ok := a.Front().Verify(w, r, "lambda")
		if !ok {
			return
		}
		defer leave()
		clean.Body = r.Body
		for _, name := range []string{"Authorization", "X-Amz-Security-Token", "X-Amz-Date", "X-Amz-Content-Sha256"} {
			clean.Header.Del(name)
		}
	}
	if u.Cors != nil {
		to.Header = http.Header{}
		u.Cors.allow(to.Header, r.Header.Get("Origin"))
	}
	to.Qualifier = t.route()
	a.HTTP.Serve(w, clean, to)
}

// forbidden is what AWS answers at hosts that are no function's.
func forbidden(w http.ResponseWriter) {
	writeFailure(w, &Failure{"AccessDeniedException", http.StatusForbidden, "Forbidden. For troubleshooting Function URL authorization issues, see: aloft docs, function URLs"})
}
