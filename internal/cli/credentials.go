package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

const credentialsAWSHelp = `Prints an access key of the server, with which AWS's own clients (AWS CLI, SDKs, Terraform) use the server in the
place of AWS. The key is made at the first call and sealed on the disk. Whoever has it may do everything with
functions: it is printed here and nowhere else.

--format env, the default, are lines for a shell, endpoints included; profile are sections for ~/.aws/config.
--rotate makes a new key first; the one before is refused from then on.

With --json, or --format json: {"accessKeyId", "secretAccessKey", "region", "endpoints": {SERVICE: URL}}.

Exit status: 0 printed.`

// The values of --format.
const (
	formatEnv     = "env"
	formatProfile = "profile"
	formatJSON    = "json"
)

func credentialFormats() []string { return []string{formatEnv, formatProfile, formatJSON} }

type credentialsOptions struct {
	format string
	rotate bool
}

func newCredentials(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "credentials",
		Short: "Print credentials of the server",
		Long: `Prints credentials with which other programs use the server: those for AWS's clients, as aloft credentials aws does.

Exit status: 0 printed.`,
		Example: `  eval "$(aloft credentials)"
  aws lambda list-functions`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return runCredentialsAWS(c.Context(), p, credentialsOptions{format: formatEnv})
		},
	})
	var o credentialsOptions
	sub := newCommand(cobra.Command{
		Use:   "aws [flags]",
		Short: "Print an access key for AWS's clients",
		Long:  credentialsAWSHelp,
		Example: `  eval "$(aloft credentials aws)" && aws lambda list-functions
  aloft credentials aws --format profile >> ~/.aws/config && aws --profile aloft lambda list-functions
  aloft credentials aws --rotate`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return runCredentialsAWS(c.Context(), p, o) },
	})
	sub.Flags().StringVar(&o.format, "format", formatEnv, "env, profile or json")
	sub.Flags().BoolVar(&o.rotate, "rotate", false, "make a new key; the one before is refused from then on")
	_ = sub.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(credentialFormats(), cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	c.AddCommand(sub)
	return c
}

func runCredentialsAWS(ctx context.Context, p *program, o credentialsOptions) error {
	if !slices.Contains(credentialFormats(), o.format) {
		return aloft.Errorf(aloft.Invalid, "there is no format %q", o.format).WithHint("use env, profile or json")
	}
	c, err := p.server(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	got, err := c.AWSCredentials(ctx, o.rotate)
	if err != nil {
		return err
	}
	switch {
	case p.flags.json || o.format == formatJSON:
		return p.printJSON(got)
	case o.format == formatProfile:
		_, err = fmt.Fprint(p.out, awsProfile(got))
	default:
		_, err = fmt.Fprint(p.out, awsEnv(got))
	}
	return err
}

// awsEnv are lines for a shell. A token of another session would make AWS's clients send it.
func awsEnv(c api.AWSCredentials) string {
	var b strings.Builder
	fmt.Fprintf(&b, "unset AWS_SESSION_TOKEN\nexport AWS_ACCESS_KEY_ID=%s\nexport AWS_SECRET_ACCESS_KEY=%s\n", c.AccessKeyID, c.SecretAccessKey)
	fmt.Fprintf(&b, "export AWS_REGION=%[1]s\nexport AWS_DEFAULT_REGION=%[1]s\n", c.Region)
	for _, service := range slices.Sorted(maps.Keys(c.Endpoints)) {
		fmt.Fprintf(&b, "export AWS_ENDPOINT_URL_%s=%s\n", strings.ToUpper(service), c.Endpoints[service])
	}
	return b.String()
}

// awsProfile are sections for the file of AWS's clients.
func awsProfile(c api.AWSCredentials) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[profile aloft]\naws_access_key_id = %s\naws_secret_access_key = %s\nregion = %s\nservices = aloft\n\n[services aloft]\n",
		c.AccessKeyID, c.SecretAccessKey, c.Region)
	for _, service := range slices.Sorted(maps.Keys(c.Endpoints)) {
		fmt.Fprintf(&b, "%s =\n  endpoint_url = %s\n", service, c.Endpoints[service])
	}
	return b.String()
}
