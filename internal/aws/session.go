package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/aloft-run/aloft"
)

// Want is which account a stage's settings ask for. All fields may be "".
type Want struct {
	Profile string // of ~/.aws/config; "" means what the environment says
	Account string // twelve digits; credentials of another are refused
	Region  string // home

	Patience time.Duration // how long an answer may take to begin; 0 means half a minute
}

// Session is the account that credentials lead to.
type Session struct {
	Config  sdk.Config
	Profile string // "" if none was named
	Account string
	Caller  string // ARN of who asks
	Region  string // that was asked for, or that the environment or the profile names; "" if none was
}

// attempts is how often a request is sent in all: throttled ones are common where many deploy at once.
const attempts = 8

var accountPattern = regexp.MustCompile(`^[0-9]{12}$`)

// Open finds credentials and asks AWS whose they are. It returns Invalid, with the command to type next, if there are none, if
// they ended, or if they are another account's than wanted.
func Open(ctx context.Context, want Want) (*Session, error) {
	if err := want.check(); err != nil {
		return nil, err
	}
	cfg, profile, err := load(ctx, want)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" { // whose the credentials are is asked in the part of AWS that they are of
		return nil, aloft.Errorf(aloft.Invalid, "it is not said in which region of AWS").
			WithHint("write aws: {region: eu-central-1} in aloft.yml, or give --region, or set AWS_REGION")
	}
	if err := CheckRegion(cfg.Region); err != nil {
		return nil, fmt.Errorf("AWS_REGION or the profile: %w", err)
	}
	return Identify(ctx, cfg, Want{Profile: profile, Account: want.Account, Region: want.Region})
}

func (w Want) check() error {
	if w.Account != "" && !accountPattern.MatchString(w.Account) {
		return aloft.Errorf(aloft.Invalid, "account %q is not the number of an AWS account", w.Account).
			WithHint("write its twelve digits, in quotes: account: \"123456789012\"")
	}
	if w.Region != "" {
		return CheckRegion(w.Region)
	}
	return nil
}

// load reads the shared configuration. A profile that is not on this machine matters only if nothing else has credentials and
// nothing else says which account is meant: in CI the environment has them.
func load(ctx context.Context, want Want) (sdk.Config, string, error) {
	options := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}), // what matters is in errors
		config.WithRetryMode(sdk.RetryModeAdaptive), config.WithRetryMaxAttempts(attempts),
		config.WithHTTPClient(impatient(cmp.Or(want.Patience, answerLimit))),
	}
	if want.Region != "" {
		options = append(options, config.WithRegion(want.Region))
	}
	if want.Profile == "" {
		if err := checkKeys(); err != nil {
			return sdk.Config{}, "", err
		}
		cfg, err := config.LoadDefaultConfig(ctx, options...)
		return cfg, environment().SharedConfigProfile, failed(err, "read the AWS configuration")
	}
	cfg, err := config.LoadDefaultConfig(ctx, append(options, config.WithSharedConfigProfile(want.Profile))...)
	if _, missing := errors.AsType[config.SharedConfigProfileNotExistError](err); !missing {
		return cfg, want.Profile, failed(err, "read the AWS profile "+want.Profile)
	}
	if env := environment(); !env.Credentials.HasKeys() && env.WebIdentityTokenFilePath == "" {
		return sdk.Config{}, "", aloft.Errorf(aloft.Invalid, "this machine has no AWS profile %q", want.Profile).
			WithHint("make it: aws configure sso --profile %s", want.Profile)
	}
	if want.Account == "" {
		return sdk.Config{}, "", aloft.Errorf(aloft.Invalid, "this machine has no AWS profile %q, and nothing says whether the keys of the environment are of the same account", want.Profile).
			WithHint("add its number beside the profile in aloft.yml: account: \"123456789012\"")
	}
	if err := checkKeys(); err != nil {
		return sdk.Config{}, "", err
	}
	cfg, err = config.LoadDefaultConfig(ctx, options...)
	return cfg, "", failed(err, "read the AWS configuration")
}

// Limits of one attempt of a request. Without them a connection that is dead, or a server that hangs, would hold a command for
// ever: the SDK's own client waits for answers without end. Lambda takes the longest, some seconds for large code.
const (
	dialLimit   = 10 * time.Second
	answerLimit = 30 * time.Second
)

// impatient gives up requests to which no answer begins in time; the SDK then sends them again.
func impatient(limit time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialLimit }).
		WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = limit })
}

// patient waits for an answer as long as a function may take for it.
func patient(o *lambda.Options) {
	if client, ours := o.HTTPClient.(*awshttp.BuildableClient); ours {
		o.HTTPClient = client.WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = 0 })
	}
}

// checkKeys returns Invalid, and names the variable, for keys in the environment that no request can be signed with.
func checkKeys() error {
	set := map[string]bool{}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN"} {
		value := os.Getenv(name) //nolint:forbidigo // as the SDK does, whose messages about these do not name them
		set[name] = value != ""
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return aloft.Errorf(aloft.Invalid, "%s has a space, a line break or another character that no AWS key has", name).
				WithHint("set it again: export %s=…; a secret of a CI service often ends with a line break", name)
		}
	}
	id, secret := set["AWS_ACCESS_KEY_ID"] || set["AWS_ACCESS_KEY"], set["AWS_SECRET_ACCESS_KEY"] || set["AWS_SECRET_KEY"]
	there, missing := "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
	if secret {
		there, missing = missing, there
	}
	if id != secret {
		return aloft.Errorf(aloft.Invalid, "%s is set, but %s is not", there, missing).WithHint("export both, or neither and log in with aws sso login")
	}
	return nil
}

// environment is what the SDK reads from the environment. What it cannot read LoadDefaultConfig complains of.
func environment() config.EnvConfig {
	env, err := config.NewEnvConfig()
	if err != nil {
		return config.EnvConfig{}
	}
	return env
}

// Identify asks AWS whose the credentials of cfg are; see [Open].
func Identify(ctx context.Context, cfg sdk.Config, want Want) (*Session, error) {
	session := &Session{Config: cfg, Profile: want.Profile, Region: cfg.Region}
	if cfg.Region == "" {
		cfg.Region = "us-east-1" // every account has it, and the question is the same everywhere
		session.Config = cfg
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, session.explain(err, "ask AWS whose the credentials are")
	}
	session.Account, session.Caller = sdk.ToString(identity.Account), sdk.ToString(identity.Arn)
	if want.Account != "" && session.Account != want.Account {
		return nil, aloft.Errorf(aloft.Invalid, "aloft.yml is for the AWS account %s, but the credentials are of %s (%s)", want.Account, session.Account, session.Caller).
			WithHint("%s", session.otherAccount())
	}
	return session, nil
}

func (s *Session) otherAccount() string {
	if s.Profile != "" {
		return "choose a profile of that account: AWS_PROFILE=NAME, or profile: in aloft.yml; see them with aws configure list-profiles"
	}
	return "use credentials of that account: export AWS_PROFILE=NAME; see the profiles with aws configure list-profiles"
}

// login is the command that makes credentials again.
func (s *Session) login() string {
	profile := ""
	if s.Profile != "" {
		profile = " --profile " + s.Profile
	}
	if strings.HasPrefix(environment().Credentials.AccessKeyID, "ASIA") {
		return "export new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
	}
	return "aws sso login" + profile
}
