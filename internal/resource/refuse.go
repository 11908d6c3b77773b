package resource

import (
	"net/http"
)

// Refuse answers a request whose credentials are not known, in the shape of the API that it is for.
func Refuse(w http.ResponseWriter, r *http.Request) {
	const code, message = "InvalidClientTokenId", "The security token included in the request is invalid."
	switch serviceOf(r) {
	case "S3":
		refuse(w, "application/xml", `<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidAccessKeyId</Code><Message>`+message+`</Message></Error>`)
	case "SNS":
		refuse(w, "text/xml", `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>`+code+`</Code><Message>`+message+`</Message></Error></ErrorResponse>`)
	default:
		refuse(w, "application/x-amz-json-1.0", `{"__type":"`+code+`","message":"`+message+`"}`)
	}
}

func refuse(w http.ResponseWriter, kind, body string) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write([]byte(body)) // the client is gone if it fails
}
