package awsapi

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// kind is why a request is refused.
type kind int

const (
	badKey kind = iota
	badSignature
	badScope
	expired
	incomplete
	tooLarge
	busy
)

// refusal is an error for the client.
type refusal struct {
	kind kind
	text string
}

// Error returns the message.
func (r *refusal) Error() string { return r.text }

func reject(k kind, format string, args ...any) error {
	return &refusal{k, fmt.Sprintf(format, args...)}
}

// answer is an error as one protocol names it.
type answer struct {
	code   string
	status int
}

// answers are the names of the errors in the JSON protocols, in Query, and in S3.
func answers() map[kind][3]answer {
	return map[kind][3]answer{
		badKey:       {{"UnrecognizedClientException", 403}, {"InvalidClientTokenId", 403}, {"InvalidAccessKeyId", 403}},
		badSignature: {{"InvalidSignatureException", 403}, {"SignatureDoesNotMatch", 403}, {"SignatureDoesNotMatch", 403}},
		badScope:     {{"InvalidSignatureException", 403}, {"SignatureDoesNotMatch", 403}, {"AuthorizationHeaderMalformed", 400}},
		expired:      {{"InvalidSignatureException", 403}, {"RequestExpired", 400}, {"RequestTimeTooSkewed", 403}},
		incomplete:   {{"IncompleteSignatureException", 400}, {"IncompleteSignature", 400}, {"AuthorizationHeaderMalformed", 400}},
		tooLarge:     {{"RequestEntityTooLargeException", 413}, {"RequestEntityTooLarge", 413}, {"EntityTooLarge", 400}},
		busy:         {{"ServiceUnavailableException", 503}, {"ServiceUnavailable", 503}, {"SlowDown", 503}},
	}
}

// xmlError is an error of S3.
type xmlError struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
}

// queryError is an error of a Query service.
type queryError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// fail answers in the form that the clients of a service understand. What is no refusal is a defect of ours, and not told.
func fail(w http.ResponseWriter, r *http.Request, service string, err error) {
	names, text := [3]answer{{"InternalFailure", 500}, {"InternalFailure", 500}, {"InternalError", 500}}, "internal error"
	if refused, ok := errors.AsType[*refusal](err); ok {
		names, text = answers()[refused.kind], refused.text
	}
	var name answer
	var body []byte
	kind, id := "text/xml", w.Header().Get(requestIDHeader)
	switch {
	case service == s3:
		name = names[2]
		body, err = xml.Marshal(xmlError{Code: name.code, Message: text, RequestID: id})
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		name = names[1]
		body, err = xml.Marshal(queryError{Type: "Sender", Code: name.code, Message: text, RequestID: id})
	default:
		name, kind = names[0], "application/json"
		w.Header().Set("X-Amzn-Errortype", name.code)
		body, err = json.Marshal(map[string]string{"__type": name.code, "message": text})
	}
	if err != nil { // text always can be written
		body = nil
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Connection", "close") // the body may be there still
	w.WriteHeader(name.status)
	_, _ = w.Write(body) // a client that has left needs no answer
}
