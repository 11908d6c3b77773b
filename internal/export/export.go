// Package export turns a release into files with which others deploy it to AWS without aloft: a template for the AWS CLI, or a
// configuration for Terraform. It is pure: zips are named, not read, and values of config are never known here.
package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/terraform"
)

// Format is what the files are for.
type Format string

// The formats.
const (
	CloudFormation Format = "cloudformation"
	Terraform      Format = "terraform"
)

// Input is what is exported.
type Input struct {
	Release    aloft.Release // with AWS set; its number and its config do not matter
	Stack      string        // the name of its stack
	Config     []string      // names of variables, which functions get as parameters
	Shim       Zip           // the layer of the shim
	Sizes      map[string]int64
	Render     func(stack.Input) (stack.Output, error)
	DeleteData bool // stores go with the stack
}

// Zip is an artifact or a layer.
type Zip struct {
	Digest string
	Size   int64 // bytes
}

// Output are the files of an export.
type Output struct {
	Files      map[string][]byte // by path, with slashes
	Zips       map[string]string // the digest of what is to be put at a path
	Parameters []string          // that need a value, as the template names them
	Warnings   []string          // for people
	Stacks     map[string]string // of Terraform: resources that stay stacks of CloudFormation, and why
	Secrets    bool              // that are made where the files are carried out: passwords of databases
}

// codeDir is the directory of the zips.
const codeDir = "code"

// zips are where artifacts and layers are, by digest.
func (in Input) zips() map[string]string {
	all := map[string]string{in.Shim.Digest: path.Join(codeDir, "shim-"+short(in.Shim.Digest)+".zip")}
	for _, digest := range in.Release.Digests() {
		name := "layer-"
		if digest == in.Release.Artifact.Digest {
			name = "artifact-"
		}
		all[digest] = path.Join(codeDir, name+short(digest)+".zip")
	}
	return all
}

func short(digest string) string { return digest[:min(12, len(digest))] }

// regions are those of the release, and where the files of each lie: of one alone beside each other.
func (in Input) regions() map[string]string {
	all := map[string]string{}
	for _, region := range in.Release.AWS.Regions {
		all[region] = region
	}
	if len(all) == 1 {
		all[in.Release.AWS.Regions[0]] = ""
	}
	return all
}

// Make returns the files. It returns Invalid for what the format cannot say.
func Make(format Format, in Input) (Output, error) {
	out := Output{Files: map[string][]byte{}, Zips: map[string]string{}, Stacks: map[string]string{}}
	for digest, at := range in.zips() {
		out.Zips[at] = digest
	}
	regions := in.regions()
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		rendered, err := in.render(region)
		if err != nil {
			return Output{}, err
		}
		out.Warnings = rendered.Warnings
		if format == Terraform {
			err = in.terraform(&out, rendered, region, regions[region])
		} else {
			err = in.cloudFormation(&out, rendered, regions[region])
		}
		if err != nil {
			return Output{}, err
		}
	}
	readme, err := in.readme(format, out)
	out.Files["README.md"] = readme
	return out, err
}

// cloudFormation adds the files of a region for the AWS CLI.
func (in Input) cloudFormation(out *Output, rendered stack.Output, dir string) error {
	out.Parameters = slices.Sorted(maps.Keys(rendered.Parameters))
	if err := in.forCLI(&rendered.Template); err != nil {
		return err
	}
	plain := in.Release.Clone()
	plain.Version, plain.CreatedAt = 0, time.Time{}
	rendered.Template.Metadata = stack.Record(plain)
	text, err := rendered.Template.JSON()
	if err != nil {
		return err
	}
	out.Files[path.Join(dir, "template.json")] = text
	all := []string{bucketParameter + "=", revisionParameter + "=1"} // a form that all versions of the AWS CLI take
	for _, name := range out.Parameters {
		all = append(all, name+"=")
	}
	text, err = json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write the parameters: %w", err)
	}
	out.Files[path.Join(dir, "parameters.json")] = append(text, '\n')
	return nil
}

// terraform adds the files of a region for Terraform.
func (in Input) terraform(out *Output, rendered stack.Output, region, dir string) error {
	files := map[string]terraform.File{}
	up := ""
	if dir != "" {
		up = "../"
	}
	for at, digest := range out.Zips {
		size := in.Sizes[digest]
		if digest == in.Shim.Digest {
			size = in.Shim.Size
		}
		files[path.Base(at)] = terraform.File{Path: up + at, Size: size}
	}
	made, err := terraform.Translate(terraform.Input{Template: rendered.Template, Stack: in.Stack, Region: region, Files: files})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(rendered.Parameters)) {
		out.Parameters = append(out.Parameters, terraform.Variable(name))
	}
	slices.Sort(out.Parameters)
	out.Parameters = slices.Compact(out.Parameters)
	maps.Copy(out.Stacks, made.Stacks)
	for _, r := range rendered.Template.Resources {
		out.Secrets = out.Secrets || r.Type == "AWS::SecretsManager::Secret"
	}
	for name, text := range map[string][]byte{"main.tf": made.Main, "variables.tf": made.Variables, "outputs.tf": made.Outputs} {
		out.Files[path.Join(dir, name)] = text
	}
	return nil
}

// render makes the template of a region. Its code lies under the names of the files, in a bucket that is not known yet.
func (in Input) render(region string) (stack.Output, error) {
	object := func(digest string) stack.Object {
		return stack.Object{Bucket: bucketParameter, Key: path.Base(in.zips()[digest])}
	}
	input := stack.Input{
		Release: in.Release.Clone(), Region: region, Code: object(in.Release.Artifact.Digest), Shim: object(in.Shim.Digest),
		Layers: map[string]stack.Object{}, Config: stack.Config{Variables: map[string]aloft.Config{}}, DeleteData: in.DeleteData,
	}
	input.Release.Version = 0
	for _, digest := range in.Release.Digests() {
		input.Layers[digest] = object(digest)
	}
	values := aloft.Config{}
	for _, name := range in.Config {
		values[name] = "" // a parameter
	}
	for _, f := range in.Release.Tuned() {
		input.Config.Variables[f.Name] = values.For(f.Name)
	}
	out, err := in.Render(input)
	if err != nil {
		return stack.Output{}, err
	}
	withoutNumber(&out)
	return out, nil
}

// withoutNumber takes the number of the release out of a template: who deploys it has none.
func withoutNumber(out *stack.Output) {
	t := out.Template
	delete(t.Outputs, stack.OutputRelease)
	for name, names := range out.Functions {
		function, alias, version := t.Resources[names.Function], t.Resources[names.Alias], t.Resources[names.Version]
		if text, ok := function.Properties["Description"].(string); ok {
			function.Properties["Description"] = strings.TrimSuffix(text, " v0")
		}
		delete(t.Resources, names.Version)
		names.Version = names.Function + "Version"
		alias.Properties["FunctionVersion"] = cfn.GetAtt(names.Version, "Version")
		t.Resources[names.Version] = version
		out.Functions[name] = names
	}
}
