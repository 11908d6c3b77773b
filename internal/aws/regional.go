package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/stack"
)

// regional is one region's part of a deployment.
type regional struct {
	*region
	*deployment

	code        code
	input       stack.Input
	out         stack.Output
	template    []byte
	fingerprint string
	found       *types.Stack                                   // as it was described last, nil: it was not, there is none, or it was changed since
	serving     map[string]string                              // versions behind the aliases before, by function
	pointers    map[string]*lambda.GetAliasOutput              // the aliases as they were then
	moves       map[string]string                              // versions that the aliases are to lead to, by function
	published   map[string][]lambdatypes.FunctionConfiguration // versions that there were before, by function; nil: not looked up
	trial       trial
	deleteData  bool // stores go with the stack
	executed    bool // the stack was changed, or may have been
	adopts      bool // the stack is one of others, which becomes the stage's
	held        bool // it was, and its aliases still lead to the versions of before
}

// OutputFingerprint is the output that says what a stack is made of, but for the code: releases with equal fingerprints
// differ in nothing else.
const OutputFingerprint = "Fingerprint"

// prepare does in one region all that can be done before the aliases move.
func (r *regional) prepare(ctx context.Context) error {
	if r.current.Version == 0 {
		if err := r.recorded(ctx, r.release); err != nil {
			return err
		}
	}
	if err := r.EnsureAccount(ctx, r.name, r.report); err != nil {
		return err
	}
	var err error
	if r.code, err = r.upload(ctx, r.release, r.report); err != nil {
		return err
	}
	if err := r.render(ctx); err != nil {
		return err
	}
	found, err := r.ready(ctx, wanted(r.release), r.report)
	if err != nil {
		return err
	}
	if r.adopts, err = r.strange(ctx, found); err != nil {
		return err
	}
	if r.serving, err = r.aliases(ctx); err != nil {
		return err
	}
	if r.onlyCode(found) {
		r.found = found
		return r.publish(ctx)
	}
	if found != nil && len(r.serving) > 0 {
		return r.updateBeside(ctx, found)
	}
	if err := r.update(ctx, found); err != nil {
		return err
	}
	return r.findVersions(ctx)
}

// described is the stage's stack; nil if there is none.
func (r *regional) described(ctx context.Context) (found *types.Stack, err error) {
	if r.found == nil {
		r.found, err = r.stackOf(ctx, StackName(r.release))
	}
	return r.found, err
}

// onlyCode reports whether the stack is already what the release needs but for the code.
func (r *regional) onlyCode(found *types.Stack) bool {
	return r.unchanged(found) && len(r.serving) == len(r.out.Functions)
}

// unchanged reports whether the stack's template is, but for the code, the one that the release needs.
func (r *regional) unchanged(found *types.Stack) bool {
	return found != nil && conditionOf(found.StackStatus) == whole && outputOf(found, OutputFingerprint) == r.fingerprint
}

// update makes the stack what the release needs.
func (r *regional) update(ctx context.Context, found *types.Stack) error {
	found, err := r.takeIn(ctx, found)
	if err != nil {
		return err
	}
	if err := r.alignCode(ctx, found); err != nil {
		return err
	}
	r.executed = true
	return r.execute(ctx, found, r.change(title(r.release)), r.report)
}

// takeIn makes stores that the stage had before part of its stack again, and returns the stack as it is then.
func (r *regional) takeIn(ctx context.Context, found *types.Stack) (*types.Stack, error) {
	if r.deleteData || r.adopts { // those of the stack go, others stay as they are; one of others has its own
		return found, nil
	}
	o := stageStack(r.release)
	imported, err := r.adopt(ctx, found, adoption{stack: o.stack, template: r.out.Template, tags: o.tags, report: r.report})
	if err != nil || !imported && found != nil {
		return found, err
	}
	return r.ready(ctx, o, r.report)
}

// change is what the stack is to become.
func (r *regional) change(title string) change {
	tags := maps.Clone(r.release.AWS.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, stageTags(r.release.StageRef))
	zones := map[string]string{}
	for domain, zone := range r.dns {
		zones[stack.DomainCertificate(domain)] = zone
	}
	return change{stack: StackName(r.release), title: title, template: r.template, parameters: r.out.Parameters, tags: tags, zones: zones, keeps: r.adopts}
}

func stageTags(ref aloft.StageRef) map[string]string {
	return map[string]string{"aloft:app": ref.App, "aloft:stage": ref.Stage}
}

// title is a release's name in AWS: in descriptions of versions, and in names of change sets.
func title(release aloft.Release) string { return fmt.Sprintf("v%d", release.Version) }

// render makes the template, once the config is where functions find it.
func (r *regional) render(ctx context.Context) error {
	config, err := r.delivery(ctx)
	if err != nil {
		return err
	}
	return r.renderWith(config)
}

// renderWith makes the template. Its fingerprint is that of the same release with other code.
func (r *regional) renderWith(config stack.Config) error {
	in := r.inputWith(config)
	if err := r.setFingerprint(in); err != nil {
		return err
	}
	r.input = in
	return r.compose(in)
}

func (r *regional) inputWith(config stack.Config) stack.Input {
	return stack.Input{
		Release: r.release, Region: r.name, Code: r.code.artifact, Layers: r.code.layers, Shim: r.code.shim, Config: config,
		DeleteData: r.deleteData, Zones: r.dns,
	}
}

// setFingerprint digests what the template of a release would be with other code.
func (r *regional) setFingerprint(in stack.Input) error {
	plain := in
	plain.Release = r.release.Clone()
	plain.Release.Version, plain.Release.Artifact = 0, aloft.Artifact{}
	plain.Code = stack.Object{}
	shape, err := r.Render(plain)
	if err != nil {
		return err
	}
	text, err := shape.Template.JSON()
	if err != nil {
		return err
	}
	r.fingerprint = r.fingerprintOf(text, shape.Parameters)
	return nil
}

// compose makes the template.
func (r *regional) compose(in stack.Input) (err error) {
	if r.out, err = r.Render(in); err != nil {
		return err
	}
	if r.out.Template.Outputs == nil {
		r.out.Template.Outputs = map[string]cfn.Output{}
	}
	r.out.Template.Outputs[OutputFingerprint] = cfn.Output{Value: r.fingerprint}
	r.out.Template.Metadata = stack.Record(r.release)
	r.template, err = r.out.Template.JSON()
	if err != nil || len(r.template) <= inlineTemplate {
		return err
	}
	var small bytes.Buffer // what people read is in Git; a request has no room for indentation
	if err := json.Compact(&small, r.template); err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	r.template = small.Bytes()
	return nil
}

// fingerprintOf digests a template and which config goes with it: the number of the release that sealed it, never a value,
// as outputs can be read by more people than parameters.
func (r *regional) fingerprintOf(template []byte, parameters map[string]string) string {
	h := sha256.New()
	h.Write(template)
	fmt.Fprintf(h, "\n%d %q", r.release.Config.Version, slices.Sorted(maps.Keys(parameters)))
	const enough = 16
	return hex.EncodeToString(h.Sum(nil)[:enough])
}

// codeSha is a digest as Lambda writes it: in base64.
func codeSha(digest string) string {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}
