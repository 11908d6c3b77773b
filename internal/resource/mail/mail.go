// Package mail is the kind of resources that mail is sent from: an address or a domain as an identity of SES. It is a kind of
// stacks only.
package mail

import (
	"regexp"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// The options of mail.
const (
	identityOption = "identity" // the address or domain
	existingOption = "existing" // somebody else made the identity
)

var (
	domain  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$`)
	address = regexp.MustCompile(`^[A-Za-z0-9._%+-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$`)
)

// Cloud is the kind in a stack.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Mail }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error {
	if err := resource.Options(aloft.Mail, options, identityOption, existingOption, resource.VariableOption); err != nil {
		return err
	}
	if text := options[identityOption]; !domain.MatchString(text) && !address.MatchString(text) {
		return aloft.Errorf(aloft.Invalid, "identity is %q; expected the domain or the address that mail is sent from", text)
	}
	if _, err := resource.Flag(options, existingOption); err != nil {
		return err
	}
	return resource.CheckVariable(options)
}

// Render implements resource.Cloud. An account has an identity once: a second stage says that it exists.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	options := in.Resource.Options
	if err := (Cloud{}).Check(options); err != nil {
		return resource.Rendered{}, err
	}
	existing, err := resource.Flag(options, existingOption)
	if err != nil {
		return resource.Rendered{}, err
	}
	identity := options[identityOption]
	resources := map[string]cfn.Resource{}
	if !existing {
		resources[in.ID] = in.Store("AWS::SES::EmailIdentity", map[string]any{"EmailIdentity": identity})
	}
	arn := cfn.Sub("arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/" + identity)
	// In SES's sandbox, where each account begins, IAM is asked for the recipient's identity too; who sends is bounded by the condition.
	from := identity
	if !strings.Contains(identity, "@") {
		from = "*@" + identity
	}
	all := cfn.Sub("arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*")
	unencrypted := in
	unencrypted.KMSKey = ""
	return resource.Rendered{
		Resources: resources,
		Env:       map[string]any{in.Variable(): identity},
		ARN:       arn,
		Access: unencrypted.Access(map[string][]cfn.Statement{
			aloft.EdgeSend: {{
				Action: []string{"ses:SendEmail", "ses:SendRawEmail"}, Resource: all,
				Condition: map[string]any{"StringLike": map[string]any{"ses:FromAddress": from}},
			}},
		}),
	}, nil
}
