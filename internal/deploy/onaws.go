package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// elsewhere refuses a stage that runs on AWS where no AWS is at hand.
func elsewhere(ref aloft.StageRef) error {
	return aloft.Errorf(aloft.Invalid, "%s runs on AWS, as %s says, and this server does not", ref, manifest.AloftFile).
		WithHint("aloft up %s deploys it with your own AWS credentials, without a server; with --platform local it runs here too", ref.Stage)
}

// place says in a release of a project where it runs. The artifact must be in the store.
func (d *Deployer) place(ctx context.Context, next *aloft.Release, p project, stage aloft.Stage) error {
	if d.AWS == nil {
		return nil
	}
	placed, err := p.settings.OnAWS(*d.AWS)
	if err != nil {
		return err
	}
	next.Platform, next.AWS = aloft.OnAWS, placed
	next.AWS.Domains = domainsOf(stage)
	if next.AWS.Architecture, err = d.architecture(ctx, next.Artifact, placed.Architecture); err != nil {
		return err
	}
	return d.fit(next)
}

// fit gives the functions of a release what its artifact is made for.
func (d *Deployer) fit(next *aloft.Release) error {
	if d.Fit == nil {
		return nil
	}
	var unfit error
	err := d.Artifacts.Look(next.Artifact.Digest, func(tree fs.FS) { next.Functions, unfit = d.Fit(next.Functions, tree) })
	return errors.Join(err, unfit)
}

// checking is a Platform that says beforehand what it would refuse.
type checking interface {
	// Check returns Invalid for a release that the platform cannot have, which may have no version yet; and what people should know
	// of it.
	Check(ctx context.Context, release aloft.Release) (warnings []string, err error)
}

// check asks the platform, if it can tell, whether it can have a release after the current one, and reports what it says of it.
func (d *Deployer) check(ctx context.Context, current, next aloft.Release, report aloft.Reporter) error {
	if err := d.checkFixed(current, next); err != nil {
		return err
	}
	platform, tells := d.Platform.(checking)
	if !tells {
		return nil
	}
	warnings, err := platform.Check(ctx, next)
	for _, text := range warnings {
		report.Report(aloft.Warning{Text: text})
	}
	return err
}

// settle gives a release that is made of an earlier one, or of none, what belongs to the stage.
func (d *Deployer) settle(next *aloft.Release, stage aloft.Stage) {
	if d.AWS == nil {
		return
	}
	if next.AWS == nil {
		next.Platform, next.AWS = aloft.OnAWS, d.AWS.Clone()
	}
	next.AWS.Domains = domainsOf(stage)
}

func domainsOf(stage aloft.Stage) []string {
	if len(stage.Domains) == 0 {
		return nil // as it comes back from a store
	}
	return slices.Clone(stage.Domains)
}

// machine is the architecture that a build must be for, "" for that of this machine.
func (d *Deployer) machine(s manifest.Settings) string {
	if d.AWS == nil || s.AWS == nil {
		return ""
	}
	return s.AWS.Architecture
}

// architecture is what an artifact runs on: what was asked for, which its machine code must allow, or what its code asks for.
func (d *Deployer) architecture(ctx context.Context, made aloft.Artifact, asked string) (string, error) {
	code, err := d.Artifacts.Machines(ctx, made.Digest)
	if err != nil {
		return "", err
	}
	_, arm := code[aloft.ARM64]
	_, intel := code[aloft.X8664]
	switch {
	case asked == "" && intel && !arm:
		return aloft.X8664, nil
	case asked == "":
		return aloft.ARM64, nil
	}
	for other, file := range code {
		if _, fits := code[asked]; !fits {
			return "", aloft.Errorf(aloft.Invalid, "aws.architecture is %s, but the package holds programs for %s only: %s", asked, other, file).
				WithHint("remove architecture from %s, or build on a machine with such a processor; aloft builds Go alone for another one than its own", manifest.AloftFile)
		}
	}
	return asked, nil
}

// tellArchitecture says what nobody asked for.
func (d *Deployer) tellArchitecture(next aloft.Release, p project, report aloft.Reporter) {
	if next.AWS != nil && next.AWS.Architecture == aloft.X8664 && d.machine(p.settings) == "" {
		report.Report(aloft.Notice{Text: "it runs on x86_64, for which its programs were built; arm64 costs a fifth less (aws.architecture in " + manifest.AloftFile + ")"})
	}
}

// releaseDomains makes a release with the domains that a stage has now. If it fails the stage keeps those of before.
func (d *Deployer) releaseDomains(ctx context.Context, before, now aloft.Stage, report aloft.Reporter) error {
	if now.Current == 0 || slices.Equal(before.Domains, now.Domains) {
		return nil // the first deploy takes them along
	}
	state, err := d.load(ctx, now.StageRef)
	if err != nil {
		return err
	}
	next := state.current.Clone()
	next.Kind, next.Status, next.Reason = aloft.ConfigRelease, aloft.Pending, ""
	next.Description = "domains: " + strings.Join(now.Domains, ", ")
	if len(now.Domains) == 0 {
		next.Description = "no domains"
	}
	d.settle(&next, now)
	if _, err = d.release(ctx, state, next, hooks{}, report); err == nil {
		return nil
	}
	if undo := d.Apps.UpdateStage(context.WithoutCancel(ctx), before); undo != nil {
		d.Logger.Warn("give a stage its domains back", "stage", now.StageRef.String(), "error", undo)
	}
	return err
}

// has reports whether an artifact can be released again.
func (d *Deployer) has(ctx context.Context, digest string) (bool, error) {
	if d.Artifacts.Has(digest) || d.Stored == nil {
		return d.Artifacts.Has(digest), nil
	}
	return d.Stored(ctx, digest)
}

// isolation is what keeps what runs apart: AWS's business on AWS.
func (d *Deployer) isolation() (text string, level int) {
	if d.AWS != nil {
		return "", 0
	}
	return d.Engine.Isolation(), int(d.Engine.Level())
}

// awsDiff lists what differs between two releases in what AWS alone has.
func awsDiff(old, next aloft.Release) []aloft.Change {
	var changes []aloft.Change
	before, after := awsFields(old), awsFields(next)
	for _, name := range names(before, after) {
		a, had := before[name]
		b, has := after[name]
		if !bytes.Equal(a, b) {
			changes = append(changes, aloft.Change{Action: action(had, has), Kind: "aws", Name: name, Before: valueText(a), After: valueText(b)})
		}
	}
	return changes
}

// awsFields are the settings of a release as JSON, by name: two that look the same are.
func awsFields(r aloft.Release) map[string]json.RawMessage {
	fields := map[string]json.RawMessage{}
	if r.AWS == nil {
		return fields
	}
	text, err := json.Marshal(r.AWS)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil { // only raw parts of a template that are no JSON, which no manifest leads to
		fields["cloudformation"] = json.RawMessage(fmt.Sprintf("%q", err))
	}
	maps.DeleteFunc(fields, func(_ string, v json.RawMessage) bool {
		return slices.Contains([]string{"null", "[]", "{}"}, string(v))
	})
	return fields
}

// valueText is a setting for people: not a whole template.
func valueText(v json.RawMessage) string {
	const most = 80
	var text string
	if json.Unmarshal(v, &text) != nil {
		text = string(v)
	}
	if len(text) > most {
		return "…"
	}
	return text
}
