package export

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
)

// page is what a README says.
type page struct {
	Stage, Stack string
	Regions      []string
	Several      bool
	Parameters   []string
	Stacks       []string // of CloudFormation, within Terraform
	Stores       bool     // that stay
	Secrets      bool     // that are made
}

func (in Input) readme(format Format, out Output) ([]byte, error) {
	p := page{
		Stage: in.Release.StageRef.String(), Stack: in.Stack, Regions: in.Release.AWS.Regions, Several: len(in.Release.AWS.Regions) > 1,
		Parameters: out.Parameters, Secrets: out.Secrets, Stores: len(in.Release.Resources) > 0 && !in.DeleteData,
	}
	for _, id := range slices.Sorted(maps.Keys(out.Stacks)) {
		p.Stacks = append(p.Stacks, id+": "+out.Stacks[id])
	}
	text := cliReadme
	if format == Terraform {
		text = terraformReadme
	}
	page, err := template.New("README").Funcs(template.FuncMap{"join": strings.Join}).Parse(text + lostReadme)
	if err != nil {
		return nil, fmt.Errorf("write the README: %w", err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("write the README: %w", err)
	}
	return b.Bytes(), nil
}

const cliReadme = `# {{.Stage}} without aloft

Made by ` + "`aloft export cloudformation`" + `. The AWS CLI is all that is needed.

## Deploy

Copy ` + "`parameters.json`" + `{{if .Several}} of each region{{end}} to a place that is in no repository, and fill its values in: CodeBucket is a bucket of yours in {{if .Several}}that{{else}}the{{end}} region
(` + "`aws s3 mb s3://BUCKET --region REGION`" + `).{{if .Parameters}} These are config, which is in none of these files; CloudFormation never shows
their values (NoEcho):
{{range .Parameters}}
- ` + "`{{.}}`" + `{{end}}{{else}} The app takes no variables;
` + "`aloft export cloudformation DIR --config NAME,NAME`" + ` adds parameters for some.{{end}}

` + "```" + `sh{{range .Regions}}
aws s3 cp --recursive code s3://BUCKET/ --region {{.}}
aws cloudformation deploy --region {{.}} --stack-name {{$.Stack}} \
  --template-file {{if $.Several}}{{.}}/{{end}}template.json --s3-bucket BUCKET --capabilities CAPABILITY_IAM \
  --parameter-overrides file:///PATH/{{if $.Several}}{{.}}/{{end}}parameters.json
aws cloudformation describe-stacks --region {{.}} --stack-name {{$.Stack}} --query 'Stacks[0].Outputs'{{end}}
` + "```" + `

The output URL is where the app answers. New values of config reach the app when ` + "`Revision`" + ` is another text than before, too.

## Change, go back, remove

New code: put another zip into the bucket and its name into the template (S3Key, and CodeSha256 of the versions: its SHA-256 in
base64), and deploy again. Each deploy that changes a function makes a version of it; the alias ` + "`live`" + ` leads to the newest.
Back to the one before, at once: ` + "`aws lambda update-alias --function-name NAME --name live --function-version N`" + `.

` + "```" + `sh{{range .Regions}}
aws cloudformation delete-stack --region {{.}} --stack-name {{$.Stack}}{{end}}
` + "```" + `
{{if .Stores}}
Stores with data (the resources of aloft.yml) stay when the stack goes; they are deleted one by one.
{{end}}
## Back to aloft

` + "`aloft import stack {{.Stack}}`" + ` in the app's directory makes the stack aloft's again, with its config; see its help for a stack of another name.

`

const terraformReadme = `# {{.Stage}} without aloft

Made by ` + "`aloft export terraform`" + `. Terraform 1.3 or later is all that is needed, with its provider hashicorp/aws 5 or 6 (made
for 5.100).

## Deploy

` + "```" + `sh{{range .Regions}}{{if $.Several}}
cd {{.}}{{end}}
terraform init
terraform apply{{if $.Several}}
cd ..{{end}}{{end}}
` + "```" + `

The output ` + "`url`" + ` is where the app answers. Where Terraform keeps its state is yours to say: a ` + "`backend`" + ` in a file of your own.

## Config
{{if .Parameters}}
Values are in none of these files. Terraform asks for each, unless the environment has it, or ` + "`terraform.tfvars`" + `, which belongs
in no repository:
{{range .Parameters}}
- ` + "`TF_VAR_{{.}}`" + `{{end}}

{{else}}
The app takes no variables. ` + "`aloft export terraform DIR --config NAME,NAME`" + ` adds some.
{{end}}{{if or .Parameters .Secrets}}
Terraform's state holds {{if .Parameters}}these values{{if .Secrets}} and {{end}}{{end}}{{if .Secrets}}the passwords of databases that are made{{end}}: keep it where nobody reads it.
{{end}}
## Change, go back, remove

New code: put another zip in the place of the one in ` + "`code`" + `. Each apply that changes a function makes a version of it; the alias
` + "`live`" + ` leads to the newest.

` + "```" + `sh
terraform destroy{{if .Several}}        # in the directory of each region{{end}}
` + "```" + `
{{if .Stores}}
Stores with data (the resources of aloft.yml) have ` + "`prevent_destroy`" + `: Terraform refuses to destroy them. To remove the rest, let go of them
first (` + "`terraform state rm ADDRESS`" + `), or export with ` + "`--delete-data`" + `.
{{end}}{{if .Stacks}}
## Still CloudFormation

Version 5 of the provider has no argument for these, so each is a stack of CloudFormation within the configuration
(` + "`aws_cloudformation_stack`" + `):
{{range .Stacks}}
- {{.}}{{end}}
{{end}}
`

const lostReadme = `## What aloft did that nobody does now

- build the app and find out what it is; upload the zip;
- number releases with code, config and stores, and restore one of them whole with one command;
- ask the address after each deploy, and go back if it does not answer;
- notice what a failed deploy left, and repair it;
- roll several regions together;
- show logs, events, costs and who may do what in one place;
- manage domains: add the certificate, the name of the API and the record yourself.

The functions still run aloft's shim, the layer in ` + "`code`" + `: it starts the unmodified server inside of Lambda. It is MIT-licensed, calls
nobody, and needs no aloft.
`
