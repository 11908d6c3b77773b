package aws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
)

// failed names what was being done; nil stays nil.
func failed(err error, what string) error {
	if err == nil {
		return nil
	}
	return aloft.Errorf(aloft.Failed, "%s: %w", what, quiet{err})
}

// apiCode is the code that AWS gave an error, "" if the error is not AWS's.
func apiCode(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

func apiMessage(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return discreet(api.ErrorMessage())
	}
	return discreet(err.Error())
}

// refusedValue is how AWS quotes what it refuses of a request: Value '[Parameter(ParameterKey=K, ParameterValue=V)]' at 'parameters'.
var refusedValue = regexp.MustCompile(`(?s)Value '.*?' at '(parameters|environment|secret)`)

// discreet is a reason of AWS without what a refused environment, or refused parameters, were made of: AWS says all variables,
// values and all, and reasons reach terminals, logs and the records of releases.
func discreet(reason string) string {
	reason = refusedValue.ReplaceAllString(reason, "Value at '$1")
	before, _, cut := strings.Cut(reason, " String measured")
	if cut {
		before += " (the variables are left out here)"
	}
	return before
}

// quiet is an error whose text is discreet.
type quiet struct{ error }

func (q quiet) Error() string { return discreet(q.error.Error()) }

func (q quiet) Unwrap() error { return q.error }

// is reports whether AWS gave an error one of the codes.
func is(err error, codes ...string) bool { return err != nil && slices.Contains(codes, apiCode(err)) }

// unsure reports whether AWS may have done what was asked all the same: no answer came, or one that says that it broke.
func unsure(err error) bool {
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok && answer.HTTPStatusCode() != 0 {
		return answer.HTTPStatusCode() >= http.StatusInternalServerError
	}
	return apiCode(err) == ""
}

// Words of AWS for credentials that ended, actions that are not allowed, and too many requests.
const (
	expired = " ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId UnrecognizedClientException" +
		" InvalidGrantException UnauthorizedException AuthFailure TokenRefreshRequired "
	denied    = " AccessDenied AccessDeniedException UnauthorizedOperation NotAuthorized "
	throttled = " Throttling ThrottlingException TooManyRequestsException RequestLimitExceeded SlowDown ThrottledException "
)

// among reports whether AWS gave an error one of the codes of a list.
func among(err error, list string) bool {
	code := apiCode(err)
	return code != "" && strings.Contains(list, " "+code+" ")
}

// AWS writes: "User: ARN is not authorized to perform: lambda:X on resource: ARN because …"
var notAllowed = regexp.MustCompile(`not authorized to perform: ([a-zA-Z0-9-]+:[a-zA-Z0-9]+)(?: on resource: (\S+))?`)

// explain makes of an error of AWS one that says what to do. Errors of ours pass unchanged.
func (s *Session) explain(err error, what string) error {
	if err == nil {
		return nil
	}
	if _, ours := errors.AsType[*aloft.Error](err); ours {
		return err
	}
	message := apiMessage(err)
	switch {
	case errors.Is(err, context.Canceled):
		return aloft.Errorf(aloft.Canceled, "%s: %w", what, quiet{err}).WithHint("type the same command again: it goes on from here")
	case among(err, expired) || strings.Contains(message, "token has expired") || strings.Contains(message, "SSO session has expired") || strings.Contains(message, "cached SSO token"):
		return s.ended(err, message)
	case among(err, unsigned):
		return s.misfit(message)
	case strings.Contains(message, "get identity: get credentials") || strings.Contains(message, "no EC2 IMDS role found") || strings.Contains(message, "static credentials are empty"):
		return aloft.Errorf(aloft.Invalid, "there are no AWS credentials").
			WithHint("log in with aws configure sso, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	case among(err, denied):
		return s.refused(err, what)
	case among(err, throttled):
		return aloft.Errorf(aloft.Unavailable, "%s: AWS asks to slow down: %w", what, quiet{err}).WithHint("type the same command again in a minute")
	case unreachable(err) != "":
		return aloft.Errorf(aloft.Unavailable, "%s: AWS is not reached: %s", what, unreachable(err)).
			WithHint("is the region right? Else look at the network, and at AWS_ENDPOINT_URL and HTTPS_PROXY if they are set")
	case unsure(err):
		return aloft.Errorf(aloft.Unavailable, "%s: %w", what, quiet{err}).WithHint("type the same command again: it goes on from here")
	}
	return aloft.Errorf(aloft.Failed, "%s: %s", what, message).WithHint("see what AWS has of the stage: aloft status")
}

// unreachable says why no connection was made, "" if there was one.
func unreachable(err error) string {
	if unknown, is := errors.AsType[*net.DNSError](err); is {
		return "there is no address of " + unknown.Name
	}
	if network, is := errors.AsType[*net.OpError](err); is && network.Op == "dial" {
		return network.Error()
	}
	return ""
}

// refused names the action that is missing and who lacks it.
func (s *Session) refused(err error, what string) error {
	message := apiMessage(err)
	e := aloft.Errorf(aloft.Failed, "%s: AWS does not allow it: %s", what, message)
	who := s.Caller
	if who == "" {
		who = "these credentials"
	}
	number := ""
	if s.Account != "" { // else it is the account that AWS was asked for
		number = " " + s.Account
	}
	parts := notAllowed.FindStringSubmatch(message)
	if parts == nil {
		return e.WithHint("have who runs the account%s allow it to %s, then type the same command again", number, who)
	}
	on := parts[2]
	if on == "" {
		on = "*"
	}
	return e.WithHint("have who runs the account%s allow %s on %s to %s, then type the same command again", number, parts[1], on, who)
}
