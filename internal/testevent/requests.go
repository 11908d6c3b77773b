package testevent

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// requests are the kinds of HTTP requests.
func requests() []Kind {
	settings := map[string]string{"method": "GET", "path": "/", "query": "", "body": "", "content-type": "application/json", "host": "app.example"}
	kind := func(format lambdahttp.Format, about string) Kind {
		k := Kind{Name: format.String(), About: "a request " + about, Settings: maps.Clone(settings), make: func(v values) (any, error) { return request(format, v) }}
		if format == lambdahttp.FunctionURL {
			k.Settings["host"] = "sample.lambda-url." + region + ".on.aws"
		}
		return k
	}
	return []Kind{
		kind(lambdahttp.APIGatewayV2, "through an HTTP API, payload format 2.0"), kind(lambdahttp.APIGatewayV1, "through a REST API, payload format 1.0"),
		kind(lambdahttp.FunctionURL, "to a function URL"), kind(lambdahttp.ALB, "through a load balancer"),
	}
}

func request(format lambdahttp.Format, v values) (any, error) {
	body := []byte(v.text("body"))
	target := url.URL{Scheme: "https", Host: v.text("host"), Path: v.text("path"), RawQuery: v.text("query")}
	if !strings.HasPrefix(target.Path, "/") {
		return nil, aloft.Errorf(aloft.Invalid, "the path %q does not start with a slash", target.Path)
	}
	r, err := http.NewRequest(v.text("method"), target.String(), http.NoBody) //nolint:noctx // it is not sent
	if err != nil {
		return nil, aloft.Errorf(aloft.Invalid, "there can be no such request: %w", err)
	}
	r.RemoteAddr = "127.0.0.1:40000"
	r.Header.Set("Accept", "*/*")
	r.Header.Set("User-Agent", "aloft")
	r.Header.Set("X-Forwarded-For", "127.0.0.1")
	if len(body) > 0 {
		r.Header.Set("Content-Type", v.text("content-type"))
	}
	meta := &lambdahttp.Meta{RequestID: v.id, SourceIP: "127.0.0.1", Time: v.now, AccountID: account, APIID: "sample"}
	if format == lambdahttp.ALB {
		meta.TargetGroupARN = arn("elasticloadbalancing", "targetgroup/sample/0123456789abcdef")
	}
	event, err := lambdahttp.Encode(format, r, body, meta)
	return json.RawMessage(event), err
}
