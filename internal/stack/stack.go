// Package stack turns a release into the template of its CloudFormation stack. It is pure: the same input gives the same
// bytes; it makes no call and knows no SDK. Kinds of resources and event sources render themselves ([resource.Cloud],
// [eventsource.Cloud]); this package has what they have in common: functions with their roles, versions and aliases, the
// gateway, domains, alarms.
package stack

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/resource"
)

// Live is the alias that gateways, event sources and permissions lead to.
const Live = eventsource.Live

// Input is what a template is made of.
type Input struct {
	Release aloft.Release // with AWS set, and AWS.Architecture; its tuned functions are rendered
	Region  string
	Code    Object            // the artifact, in this region's bucket
	Layers  map[string]Object // artifacts of functions that name one as Opt, by digest
	Shim    Object            // the layer of the shim for the release's architecture
	Config  Config

	// Held are the versions of Lambda that aliases go on leading to, by function. The others lead to the release's.
	Held map[string]string

	Kinds      []resource.Cloud                             // the kinds of resources there are
	Sources    func(uri string) (eventsource.Source, error) // reads an event source; one that AWS can have is an eventsource.Cloud
	DeleteData bool                                         // stores go with the stack instead of staying

	// Zones are the ids of the Route 53 zones that the domains lie in, by domain. Domains without one get no records: their
	// outputs say which ones to make.
	Zones map[string]string
}

// Object is something in the region's bucket.
type Object struct{ Bucket, Key string }

// Config says how variables reach the functions. Values are not part of a template: each variable is a NoEcho parameter, or all
// of them are in a secret.
type Config struct {
	Variables map[string]aloft.Config // by function: those of the stage's config that it has
	Secret    string                  // ARN or name of the secret that has them instead; "" if they are parameters
	Label     string                  // the staging label of the secret's version
}

// Output is a template with what goes with it.
type Output struct {
	Template   cfn.Template
	Parameters map[string]string // values for the template's parameters; secret
	Functions  map[string]Names  // by the function's name
	Statements []Granted         // all of all roles of the template, each with its Why
	Warnings   []string          // for people: a runtime that AWS gives up, say
}

// Names are the logical ids of a function's parts.
type Names struct {
	Function string // AWS::Lambda::Function
	Version  string // AWS::Lambda::Version of this release
	Alias    string // AWS::Lambda::Alias
	Lambda   string // the physical name
	Role     string // the role that it has, for people, if that is none of the template's
}

// The outputs of every stack.
const (
	OutputURL     = "URL"     // where requests go, without the domains
	OutputRelease = "Release" // the number of the release that the template was made of
)

// Render returns the template of a release's stack in one region. It returns Invalid, with the next step, for what AWS cannot
// have: a worker, say.
//
// Releases that differ in code alone have the same template and parameters once Release.Version, Release.Artifact and Code are
// zero: Lambda's API alone makes the one from the other. CloudFormation does not see that, and leaves alone what it believes to
// be so already; before a later update of the stack each function must have the new template's code (UpdateFunctionCode, without
// publishing), else the version, which names the code it is of, is refused.
func Render(in Input) (Output, error) {
	s, err := begin(in)
	if err != nil {
		return Output{}, err
	}
	for _, step := range []func() error{
		s.addResources,
		s.addSources,
		s.addFunctions,
		s.addEndpoint,
		s.addFunctionURLs,
		s.addAlarms,
		s.finish,
		s.noteReasons,
		s.rename,
		s.pairReasons,
		s.addRaw,
		s.dropAnswers,
		s.grant,
		s.check,
	} {
		if err := step(); err != nil {
			return Output{}, err
		}
	}
	return Output{
		Template: s.template, Parameters: s.parameters, Functions: s.names, Statements: s.granted, Warnings: s.warnings,
	}, nil
}
