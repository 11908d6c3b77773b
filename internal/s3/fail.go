package s3

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/aloft-run/aloft"
)

// unsure is an error after which nobody knows whether a write was done.
type unsure struct{ error }

func (u unsure) Unwrap() error { return u.error }

// fail turns an error of the SDK into errMissing, errRaced, or one that a user may see.
func (b *Bucket) fail(ctx context.Context, doing, key string, err error) error {
	if err == nil {
		return nil
	}
	if _, ours := errors.AsType[*aloft.Error](err); ours {
		return err
	}
	if ctx.Err() != nil {
		return aloft.Errorf(aloft.Canceled, "%s %s: interrupted: %w", doing, b.place(key), context.Cause(ctx))
	}
	status, code := 0, ""
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = answer.HTTPStatusCode()
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code = api.ErrorCode()
	}
	switch {
	case code == "NoSuchBucket":
		return aloft.Errorf(aloft.Unavailable, "%s %s: %w %s in this account and region", doing, b.place(key), errNoBucket, b.name).
			WithHint("it is made by the stack \"aloft\" with the first deploy to the account; look at the account and region of your credentials")
	case status == http.StatusNotFound:
		return errMissing
	case status == http.StatusPreconditionFailed, status == http.StatusConflict:
		return errRaced
	}
	made := aloft.Errorf(aloft.Unavailable, "%s %s: %w", doing, b.place(key), short(err))
	if hint := hintFor(b.name, status, code); hint != "" {
		made = made.WithHint("%s", hint)
	}
	if notAnswered(status) {
		return unsure{made}
	}
	return made
}

// hintFor says what to do about an error that AWS answered.
func hintFor(bucket string, status int, code string) string {
	switch {
	case code == "ExpiredToken", code == "ExpiredTokenException", code == "TokenRefreshRequired":
		return "your AWS credentials have expired; log in to AWS again"
	case code == "RequestTimeTooSkewed":
		return "the clock of this machine is wrong by more than 15 minutes; set it"
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return "if the bucket " + bucket + " is somebody else's, have its owner give up the name, or deploy to another region; if it is yours, allow your AWS user s3:ListBucket on it, and s3:GetObject, s3:PutObject and s3:DeleteObject on all its objects"
	case status == 0:
		return "look at the network and at the region of your AWS configuration, then run the same command again"
	}
	return ""
}

// short takes what matters out of the SDK's errors, which name operations, attempts and request ids.
func short(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api
	}
	if network, ok := errors.AsType[*url.Error](err); ok {
		return network.Err
	}
	return err
}

// final makes the errors of this package those of users. Doing and key say what failed.
func (b *Bucket) final(doing, key string, err error) error {
	switch {
	case errors.Is(err, errMissing):
		return aloft.Errorf(aloft.Internal, "%s: %s is missing", doing, b.place(key)).
			WithHint("the bucket keeps versions: bring the object back with aws s3api list-object-versions and copy-object")
	case errors.Is(err, errRaced):
		return aloft.Errorf(aloft.Unavailable, "%s: others changed %s all the time", doing, b.place(key)).WithHint("run the same command again")
	}
	if u, ok := errors.AsType[unsure](err); ok {
		return u.error
	}
	return err
}
