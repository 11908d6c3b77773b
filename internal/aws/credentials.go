package aws

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"

	"github.com/aloft-run/aloft"
)

// origin is where credentials come from.
type origin int

const (
	elsewhere      origin = iota // a role, a machine, a program, or nobody could tell
	inEnvironment                // AWS_ACCESS_KEY_ID and its like
	inProfile                    // keys in ~/.aws/credentials or ~/.aws/config
	byShortProfile               // such with a session token
	bySSO                        // aws sso login
	byLogin                      // aws login
)

// originOf asks the provider that the requests are signed by; it keeps what it found for them.
func originOf(ctx context.Context, cfg sdk.Config) origin {
	if cfg.Credentials == nil {
		return elsewhere
	}
	found, err := cfg.Credentials.Retrieve(ctx)
	if err != nil { // the request meets it again, and says it
		return elsewhere
	}
	switch {
	case found.Source == config.CredentialsSourceName:
		return inEnvironment
	case strings.HasPrefix(found.Source, "SharedConfigCredentials") && found.SessionToken != "":
		return byShortProfile
	case strings.HasPrefix(found.Source, "SharedConfigCredentials"):
		return inProfile
	case found.Source == ssocreds.ProviderName:
		return bySSO
	case found.Source == logincreds.ProviderName:
		return byLogin
	}
	return elsewhere
}

// ended is the error of credentials that AWS does not take, with how to make them again.
func (s *Session) ended(err error, message string) error {
	how := "not valid any more"
	if is(err, "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure") { // AWS does not say that there were such
		how = "not valid"
	}
	return aloft.Errorf(aloft.Invalid, "%s are %s: %s", s.credentials(), how, message).WithHint("%s", s.login(err))
}

// credentials names those that are used.
func (s *Session) credentials() string {
	switch s.origin {
	case inEnvironment:
		return "the keys in the environment (AWS_ACCESS_KEY_ID)"
	case inProfile, byShortProfile:
		return "the keys of the AWS profile " + s.profile()
	case elsewhere, bySSO, byLogin:
	}
	return "the AWS credentials"
}

func (s *Session) profile() string {
	if s.Profile == "" {
		return config.DefaultSharedConfigProfile
	}
	return s.Profile
}

// login says how credentials are made again. Keys in the environment win over a profile that AWS_PROFILE names, so a login does
// not help where there are some.
func (s *Session) login(err error) string {
	profile := ""
	if s.Profile != "" {
		profile = " --profile " + s.Profile
	}
	switch s.origin {
	case inEnvironment:
		return "export new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if they came with one, AWS_SESSION_TOKEN; or unset all three, and a profile counts"
	case inProfile:
		return "set its keys: aws configure" + profile
	case byShortProfile:
		return "they had a session token, so they last some hours only: get new ones where these are from, or unset the token and type aws configure" + profile
	case byLogin:
		return "aws login" + profile
	case bySSO:
	case elsewhere:
		if apiCode(err) != "" && !is(err, "InvalidGrantException", "UnauthorizedException", "UnauthorizedClientException") {
			return fmt.Sprintf("aws sso login%s if that is how you log in, else aws configure%s", profile, profile)
		}
	}
	return "aws sso login" + profile
}

// Words of AWS for a request whose signature is not the one that it reckons.
const unsigned = " SignatureDoesNotMatch InvalidSignatureException InvalidSignature "

// misfit is the error of a secret key that is none of the access key, or of a clock that is wrong: both are part of what is signed.
func (s *Session) misfit(message string) error {
	if strings.Contains(message, "Signature expired") || strings.Contains(message, "not yet current") {
		return aloft.Errorf(aloft.Invalid, "the clock of this machine is wrong by minutes, so AWS takes no request: %s", message).WithHint("set it right")
	}
	hint := s.login(nil)
	switch s.origin {
	case inEnvironment:
		hint = "export AWS_SECRET_ACCESS_KEY as it was given along with AWS_ACCESS_KEY_ID; or unset both, and a profile counts"
	case inProfile, byShortProfile, elsewhere, bySSO, byLogin:
	}
	return aloft.Errorf(aloft.Invalid, "%s: the secret key does not fit the access key id: %s", s.credentials(), message).WithHint("%s", hint)
}

// noProfile is the error of a profile that is not on this machine.
func noProfile(name, who string) *aloft.Error {
	hint := "make it: aws configure sso --profile " + name
	if names := profiles(); len(names) > 0 {
		hint = "there are " + strings.Join(names, ", ") + "; or " + hint
	}
	return aloft.Errorf(aloft.Invalid, "this machine has no AWS profile %q%s", name, who).WithHint("%s", hint)
}

// sections are the beginnings of the parts of AWS's files. In ~/.aws/config profiles have that word before their names, but for default;
// other parts (sso-session, services) have others.
var sections = regexp.MustCompile(`(?m)^[ \t]*\[[ \t]*([^\]\n]+?)[ \t]*\]`)

// profiles are the names of the profiles of this machine, sorted.
func profiles() []string {
	env := environment()
	names := map[string]bool{}
	for _, file := range []struct {
		name, standard string
		plain          bool // sections are names
	}{
		{env.SharedConfigFile, config.DefaultSharedConfigFilename(), false}, {env.SharedCredentialsFile, config.DefaultSharedCredentialsFilename(), true},
	} {
		if file.name == "" {
			file.name = file.standard
		}
		text, err := os.ReadFile(file.name)
		if err != nil {
			continue
		}
		for _, section := range sections.FindAllStringSubmatch(string(text), -1) {
			name, prefixed := strings.CutPrefix(section[1], "profile")
			if prefixed = prefixed && strings.TrimLeft(name, " \t") != name; !prefixed {
				name = section[1]
			}
			if prefixed || file.plain || name == config.DefaultSharedConfigProfile {
				names[strings.Trim(strings.TrimSpace(name), `"'`)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
