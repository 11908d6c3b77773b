package hostile_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// awsFault is how a request to AWS goes wrong.
type awsFault string

const (
	noFault     awsFault = "none"
	throttled   awsFault = "throttle"
	broken      awsFault = "500"
	unavailable awsFault = "503"
	denied      awsFault = "access denied"
	expired     awsFault = "expired token" // this request and all later ones
	lost        awsFault = "answer lost"   // AWS did it, and the connection ends without an answer
	hung        awsFault = "no answer"     // AWS never got it, and the connection stays open
	killBefore  awsFault = "killed before" // kill -9 before AWS gets it
	killAfter   awsFault = "killed after"  // kill -9 once AWS has done it
)

// once are the faults of one request that a retry hides: the command itself has to succeed.
func (f awsFault) once() bool {
	return f == throttled || f == broken || f == unavailable || f == lost || f == hung
}

func (f awsFault) kills() bool { return f == killBefore || f == killAfter }

// awsPlan is which request of a command goes wrong: that of a number, the first is 1, or all of an operation.
type awsPlan struct {
	kind awsFault
	at   int
	all  string
}

func (p awsPlan) String() string {
	if p.all != "" {
		return fmt.Sprintf("%s of every %s", p.kind, p.all)
	}
	return fmt.Sprintf("%s of request %d", p.kind, p.at)
}

// awsProxy stands between the command and the emulator, and numbers the requests of one command.
type awsProxy struct {
	server *httptest.Server
	to     string // the emulator, http://HOST:PORT
	client http.RoundTripper
	delay  time.Duration // of each request, as the way to AWS takes

	mu    sync.Mutex
	plan  awsPlan
	kill  func()
	names []string // of the requests so far
	hit   string   // the request that went wrong first
}

func newAWSProxy(t *testing.T, to string) *awsProxy {
	t.Helper()
	delay, _ := time.ParseDuration(os.Getenv("ALOFT_AWS_DELAY")) // none if it is not set
	p := &awsProxy{to: to, client: &http.Transport{MaxIdleConnsPerHost: 20}, delay: delay}
	p.server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// begin counts from one again.
func (p *awsProxy) begin(plan awsPlan, kill func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.kill, p.names, p.hit = plan, kill, nil, ""
}

// seen are the names of the requests since begin, and the one that went wrong.
func (p *awsProxy) seen() (names []string, hit string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.names...), p.hit
}

// next numbers a request and says how it goes wrong.
func (p *awsProxy) next(name string) (fault awsFault, kill func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names = append(p.names, name)
	n, fault := len(p.names), noFault
	switch {
	case p.plan.all != "" && p.plan.all == name, p.plan.all == "" && p.plan.at == n, p.plan.kind == expired && p.plan.at > 0 && n > p.plan.at:
		fault = p.plan.kind
	}
	if fault != noFault && p.hit == "" {
		p.hit = name
	}
	return fault, p.kill
}

// ServeHTTP implements http.Handler.
func (p *awsProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	name := awsOperation(r, body)
	time.Sleep(p.delay)
	fault, kill := p.next(name)
	switch fault {
	case throttled:
		refuse(w, r, http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	case broken:
		refuse(w, r, http.StatusInternalServerError, "InternalFailure", "we broke")
	case unavailable:
		refuse(w, r, http.StatusServiceUnavailable, "ServiceUnavailable", "later, please")
	case denied:
		refuse(w, r, http.StatusForbidden, "AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized to perform: x:"+name+" on resource: *")
	case expired:
		refuse(w, r, http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired")
	case hung:
		<-r.Context().Done()
	case killBefore:
		kill()
		panic(http.ErrAbortHandler)
	case lost, killAfter, noFault:
		p.forward(w, r, body, fault, kill)
	}
}

// forward sends a request on.
func (p *awsProxy) forward(w http.ResponseWriter, r *http.Request, body []byte, fault awsFault, kill func()) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, p.to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header, out.Host = r.Header.Clone(), r.Host
	answer, err := p.client.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if fault == killAfter {
		kill()
	}
	if err != nil || fault != noFault {
		panic(http.ErrAbortHandler) // closes the connection
	}
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(text) // the client may have left
}

// awsOperation is what a request asks for, as well as its protocol tells.
func awsOperation(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndex(target, ".")+1:]
	}
	if isQuery(r) {
		if form, err := neturl.ParseQuery(string(body)); err == nil {
			return form.Get("Action")
		}
	}
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case isS3(r):
		return "s3:" + r.Method + " " + s3Name(part[1:])
	case len(part) > 3 && part[1] == "functions":
		return r.Method + " functions/" + strings.Join(part[3:min(4, len(part))], "/")
	}
	return r.Method + " " + strings.Join(part[min(1, len(part)):min(2, len(part))], "/")
}

func isQuery(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

func isS3(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/aloft-") }

// refuse answers with an error in the protocol of the request's service.
func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	kind, body := "application/json", fmt.Sprintf(`{"Type":"User","Message":%q}`, message)
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		kind, body = "application/x-amz-json-1.1", fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)
	case isQuery(r):
		kind, body = "text/xml", fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", inQuery(code), message)
	case isS3(r):
		if status == http.StatusBadRequest {
			status, code = http.StatusServiceUnavailable, "SlowDown"
		}
		kind, body = "application/xml", fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message></Error>", inQuery(code), message)
	default:
		if code == "ThrottlingException" {
			status, code = http.StatusTooManyRequests, "TooManyRequestsException"
		}
		w.Header().Set("X-Amzn-Errortype", code)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, body) // the client may have left
	}
}

// inQuery is an error's code in the older protocols.
func inQuery(code string) string { return strings.TrimSuffix(code, "Exception") }

// s3Name is the kind of an object: its digest or app and stage are left out.
func s3Name(key []string) string {
	if len(key) == 0 {
		return "bucket"
	}
	if key[0] != "state" {
		return key[0]
	}
	return strings.Join(key[:min(2, len(key))], "/")
}
