package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// AWSCredentials are what AWS's clients need to use the server in the place of AWS.
type AWSCredentials struct {
	AccessKeyID     string            `json:"accessKeyId"`
	SecretAccessKey string            `json:"secretAccessKey"`
	Region          string            `json:"region"`
	Endpoints       map[string]string `json:"endpoints" doc:"Where each service is, by its name"`
}

// String keeps the secret out of what is printed.
func (c AWSCredentials) String() string { return "credentials(" + c.AccessKeyID + ")" }

// GoString keeps the secret out of %#v.
func (c AWSCredentials) GoString() string { return c.String() }

// AWSCredentialsInput is the body of a request for them.
type AWSCredentialsInput struct {
	Rotate bool `json:"rotate,omitempty" doc:"Make a new key; the one before is not valid any more"`
}

func (h *handlers) credentialRoutes() {
	op := h.operation(http.MethodPost, "/v1/credentials/aws", "aws-credentials", "The access key for AWS's clients; it is made at the first request")
	huma.Register(h.api, op, func(ctx context.Context, in *struct{ Body AWSCredentialsInput }) (*output[AWSCredentials], error) {
		if h.AWS == nil {
			return nil, NewProblem(aloft.Errorf(aloft.Conflict, "this server answers no clients of AWS"))
		}
		c, err := h.AWS(ctx, in.Body.Rotate)
		if err != nil {
			return nil, NewProblem(err)
		}
		return &output[AWSCredentials]{Body: c}, nil
	})
}
