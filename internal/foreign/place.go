package foreign

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// Render makes the template of a release, and says under which logical ids its functions are there.
type Render func(aloft.Release) (cfn.Template, map[string]IDs, error)

// IDs are the logical ids of a function of aloft's.
type IDs struct{ Function, Alias string }

// Placed is an app that goes on in the stack that it was made of.
type Placed struct {
	App     App           // with a manifest that says so
	Release aloft.Release // as the manifest's first one will be, without code
	Kept    []string      // resources that stay, for people
	Gone    []string      // resources that go, and why
	Notes   []string      // what else is different then
}

// placing is a stack whose functions are about to become those of an app, in the stack itself: all else of the stack stays, letter by
// letter, but that it leads to the app's functions. What aloft has words for becomes the app's, under the logical ids that it has.
type placing struct {
	Stack

	app     App
	ref     aloft.StageRef
	goes    map[string]string // logical ids of what goes, and why
	leads   map[string]string // of what goes, what references lead to instead: a logical id of aloft's, once it has them
	owner   map[string]string // of a function of the stack, or what belongs to it, the function of the app
	went    map[string]string // of a resource that goes on as aloft's, what it is there for: "Api", a key of a route, an event
	ours    cfn.Template
	ids     map[string]IDs
	called  map[string]string         // aws.ids
	lay     map[string]map[string]any // properties laid over aloft's resources, by their ids in the stack
	on      map[string]bool           // ids of the stack's resources that go on as aloft's
	after   map[string][]string       // what functions of aloft's wait for, by their ids in the stack
	anew    map[string]string         // other ids for what is to be made again
	without []string                  // ids of aloft's that the stack does not have
	notes   []string
	faults  []string
}

// InPlace makes of an app, the only one of a stack, one that goes on in the stack. It returns Invalid, with all reasons in its
// detail, if that would take something away or put a secret into aloft.yml.
func InPlace(s Stack, app App, stage string, render Render) (Placed, error) {
	p := &placing{
		Stack: s, app: app, ref: aloft.StageRef{App: app.Name, Stage: stage},
		goes: map[string]string{}, leads: map[string]string{}, owner: map[string]string{}, went: map[string]string{},
		called: map[string]string{}, on: map[string]bool{}, lay: map[string]map[string]any{}, after: map[string][]string{}, anew: map[string]string{},
	}
	if s.Fault != nil {
		p.fault("%v", s.Fault)
		return Placed{}, p.refused()
	}
	p.choose()
	release := p.release()
	var err error
	if p.ours, p.ids, err = render(release); err != nil {
		return Placed{}, err
	}
	p.identify()
	section := p.section()
	if len(p.faults) > 0 {
		return Placed{}, p.refused()
	}
	return p.placed(release, section)
}

func (p *placing) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

func (p *placing) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func (p *placing) refused() error {
	return aloft.Errorf(aloft.Invalid, "the stack %s cannot become aloft's as it is", p.Name).WithDetail(strings.Join(p.faults, "\n"))
}

// release is the first one of the app, as far as it is known before there is a package.
func (p *placing) release() aloft.Release {
	release := aloft.Release{
		StageRef: p.ref, Version: 1, Platform: aloft.OnAWS, Artifact: aloft.Artifact{Digest: p.app.Digest},
		AWS: &aloft.AWS{Regions: []string{p.Region}, Architecture: p.app.Functions[0].Architecture, Stack: p.Name},
	}
	for _, f := range p.app.Functions {
		one := aloft.Function{
			Name: f.As, Kind: aloft.Handler, Handler: f.Handler, Runtime: f.Runtime, Memory: f.Memory, Timeout: aloft.Duration(time.Duration(f.Timeout) * time.Second),
			Routes: f.routes, EventSources: f.events, Lambda: &aloft.Lambda{Role: f.Role, Layers: f.Layers}, URL: f.address,
		}
		release.Functions = append(release.Functions, one)
		p.note("who invokes %s by its name invokes %s from then on, its alias live", f.Name, p.ref.NameOf(one))
		if name := p.ref.NameOf(one); name == f.Name {
			p.fault("%s would have the name of the function that it takes the place of, %s: import it as another --stage", f.As, name)
		}
	}
	return release
}

// placed writes the manifest and says what became of each resource.
func (p *placing) placed(release aloft.Release, section map[string]any) (Placed, error) {
	out := Placed{Release: release, Notes: p.notes}
	release.AWS.IDs = p.called
	var err error
	if release.AWS.CloudFormation, err = marshal(section); err != nil {
		return out, err
	}
	out.Release = release
	app := p.app
	app.Manifest = p.manifest(section)
	out.App = app
	for _, id := range slices.Sorted(maps.Keys(p.Template.Resources)) {
		line := id + " (" + p.Template.Resources[id].Type + ")"
		switch why, gone := p.goes[id]; {
		case p.goesOn(id):
			out.Kept = append(out.Kept, line+": goes on as aloft's, "+p.went[id])
		case p.anew[id] != "":
			out.Gone = append(out.Gone, line+": made again, as what it deployed asks the old functions")
		case gone:
			out.Gone = append(out.Gone, line+": "+why)
		case HoldsData(p.Template.Resources[id].Type):
			out.Kept = append(out.Kept, line+": stays as it is, with what is in it")
		default:
			out.Kept = append(out.Kept, line+": stays as it is")
		}
	}
	return out, nil
}

// goesOn reports whether a resource of the stack is one of aloft's from now on, under its logical id.
func (p *placing) goesOn(id string) bool { return p.on[id] }
