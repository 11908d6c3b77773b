package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/cfndiff"
)

var _ aloft.Previewer = (*Platform)(nil)

// preview is what Apply would do in one region, as it is found out.
type preview struct {
	*regional

	found  *types.Stack // nil if there is none that counts
	before cfn.Template // what the stack was made of; empty if there is none
	said   aloft.RegionPreview
	leaves bool // the stage's stack goes

	newAccount         bool // the account's key is made along with the stage
	secretIs, secretIn bool // whether there is a secret of the config, and whether there is to be one
}

// Preview implements aloft.Previewer. What a stack was made of CloudFormation tells, so what an earlier version of aloft rendered, or
// a failed change left, is compared with as it is. With Deep a change set is made in each region whose stack changes, and deleted.
func (p *Platform) Preview(ctx context.Context, input aloft.PreviewInput) (aloft.Preview, error) {
	all := aloft.Preview{IAM: []aloft.PermissionChange{}}
	if input.Next.AWS == nil || len(input.Next.AWS.Regions) == 0 || input.Next.Artifact.Digest == "" {
		return all, nil
	}
	d := &deployment{platform: p, release: input.Next, current: input.Current, config: input.Config, report: aloft.Discard{}}
	var err error
	if d.dns, err = p.zones(ctx, input.Next.AWS); err != nil {
		return all, err
	}
	var previews []*preview
	for _, name := range regionsOf(input.Current, input.Next) {
		leaves := !slices.Contains(input.Next.AWS.Regions, name)
		previews = append(previews, &preview{regional: &regional{region: p.in(name), deployment: d}, leaves: leaves})
	}
	errs := make([]error, len(previews))
	var wait sync.WaitGroup
	for i, one := range previews {
		wait.Go(func() {
			if errs[i] = one.look(ctx, input.Deep); input.Deep && errs[i] == nil {
				one.lookBeside(ctx)
			}
		})
	}
	wait.Wait()
	if err := first(errs); err != nil {
		return all, err
	}
	var states, outcomes string
	for _, one := range previews {
		all.Regions = append(all.Regions, one.said)
		states, outcomes = states+one.state(), outcomes+one.name+" "+one.fingerprint+"\n"
	}
	all.State, all.Outcome = digestOf(states), digestOf(outcomes+input.Next.Artifact.Digest)
	if !input.Deep {
		return all, nil
	}
	if all.IAM, err = permissions(ctx, previews); err != nil {
		return all, err
	}
	all.Cost, err = costChange(previews, p.usageOf(ctx, input.Current))
	return all, err
}

// regionsOf are those that a release is to be in, and after them those that it leaves.
func regionsOf(current, next aloft.Release) []string {
	all := slices.Clone(next.AWS.Regions)
	if current.AWS != nil {
		for _, name := range current.AWS.Regions {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// state is what a plan may not move: which stack there is, and when it was changed last.
func (v *preview) state() string {
	if v.found == nil {
		return v.name + "\n"
	}
	changed := v.found.LastUpdatedTime
	if changed == nil {
		changed = v.found.CreationTime
	}
	return fmt.Sprintf("%s %s %s %d %s\n", v.name, sdk.ToString(v.found.StackId), v.found.StackStatus, sdk.ToTime(changed).UnixMilli(), outputOf(v.found, OutputFingerprint))
}

// look finds out what would be done.
func (v *preview) look(ctx context.Context, deep bool) error {
	name := StackName(v.release)
	v.said = aloft.RegionPreview{Region: v.name, Stack: name, Resources: []aloft.ResourceChange{}}
	if !v.leaves {
		if err := v.foresee(ctx); err != nil {
			return err
		}
	}
	found, err := v.stackOf(ctx, name)
	if err != nil {
		return err
	}
	if found != nil && conditionOf(found.StackStatus) != inReview {
		v.found, v.said.Status = found, string(found.StackStatus)
	}
	if v.leaves {
		return v.leave(ctx)
	}
	if err := v.takeOver(ctx); err != nil {
		return err
	}
	if v.current.Version == 0 {
		if err := v.recordedIs(ctx, v.found, v.release); err != nil {
			return err
		}
	}
	if !deep && v.unchanged(v.found) {
		v.said.CodeOnly = true
		return nil
	}
	return v.compare(ctx, deep)
}

// compare says what the templates tell, and if it is to be deep, what only CloudFormation does.
func (v *preview) compare(ctx context.Context, deep bool) (err error) {
	if v.serving, err = v.aliases(ctx); err != nil {
		return err
	}
	v.said.CodeOnly = v.onlyCode(v.found)
	if err := v.readTemplate(ctx); err != nil {
		return err
	}
	if !v.said.CodeOnly {
		if v.said.Resources, err = cfndiff.Compare(v.before, v.out.Template); err != nil {
			return err
		}
	}
	if err := v.keepsStores(); err != nil || !deep {
		return err
	}
	if err := v.ask(ctx); err != nil {
		return err
	}
	return v.keepsStores()
}

// leave says what goes with the stack of a region that the stage is no longer in.
func (v *preview) leave(ctx context.Context) error {
	if v.found == nil {
		return nil
	}
	v.note("the stage leaves this region: the stack is deleted")
	err := v.readTemplate(ctx)
	if err == nil {
		v.said.Resources, err = cfndiff.Compare(v.before, cfn.Template{})
	}
	return err
}

// foresee renders the release without putting anything anywhere.
func (v *preview) foresee(ctx context.Context) (err error) {
	if v.code, _, err = v.codeOf(ctx, v.release); err != nil {
		return err
	}
	config, large := v.variables()
	if large {
		config.Secret = SecretName(v.release.StageRef)
		there, err := v.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &config.Secret})
		switch {
		case err == nil:
			config.Secret = sdk.ToString(there.ARN)
		case !is(err, noResource):
			return v.Session.explain(err, "look at the secret "+config.Secret+" in "+v.name)
		}
	}
	return v.renderWith(config)
}

// readTemplate reads what the stack was made of.
func (v *preview) readTemplate(ctx context.Context) error {
	if v.found == nil || conditionOf(v.found.StackStatus) == neverWas {
		return nil
	}
	if v.said.Adopts {
		return v.theirs(ctx)
	}
	out, err := v.stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: v.found.StackId, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return v.Session.explain(err, "read the template of the stack "+v.said.Stack+" in "+v.name)
	}
	v.before, err = cfndiff.Read([]byte(sdk.ToString(out.TemplateBody)))
	if err != nil {
		return aloft.Errorf(aloft.Failed, "%s: the stack %s is none of aloft's: %w", v.name, v.said.Stack, err).
			WithHint("see it: aws cloudformation get-template --stack-name %s --region %s", v.said.Stack, v.name)
	}
	return nil
}

// ask says what only a call tells: what CloudFormation would do, and what of the account is still to be made.
func (v *preview) ask(ctx context.Context) error {
	account, err := v.stackOf(ctx, AccountStack)
	if err != nil {
		return err
	}
	format, _ := strconv.Atoi(outputOf(account, outputFormat)) // none is older than all
	v.said.Account = format < accountFormat
	v.newAccount = account == nil || slices.Contains([]condition{inReview, neverWas, halfGone}, conditionOf(account.StackStatus))
	if v.said.CodeOnly {
		return nil
	}
	if v.found != nil {
		switch conditionOf(v.found.StackStatus) {
		case whole, unfinished:
		case neverWas:
			v.note("the stack was never made whole (%s); it is deleted and made again", v.found.StackStatus)
			return nil
		default:
			v.note("the stack is %s, so CloudFormation plans nothing now; a deploy waits, or repairs it first", v.found.StackStatus)
			return nil
		}
	}
	if !v.said.Adopts {
		if adopted, err := v.adopts(ctx); err != nil || adopted {
			return err
		}
	}
	if slices.ContainsFunc(v.said.Resources, func(c aloft.ResourceChange) bool { return c.Was != "" }) {
		return nil // CloudFormation would refuse to plan it, and say less
	}
	if account == nil && len(v.template) > inlineTemplate {
		v.note("the template is too long to be asked about before there is a bucket")
		return nil
	}
	return v.askChangeSet(ctx)
}

func (v *preview) note(format string, args ...any) {
	v.said.Notes = append(v.said.Notes, fmt.Sprintf(format, args...))
}

// adopts reports whether stores of an earlier stack, or that the stack once had, are taken over, which CloudFormation plans apart.
func (v *preview) adopts(ctx context.Context) (bool, error) {
	a := adoption{stack: v.said.Stack, template: v.out.Template, tags: stageTags(v.release.StageRef), report: aloft.Discard{}}
	base, left, err := v.leftFor(ctx, v.found, a)
	if err != nil {
		return false, err
	}
	_, imports, err := v.adoptable(base, a, left)
	if err != nil {
		return false, err
	}
	for _, one := range imports {
		v.note("%s (%s) is there from before, and is taken into the stack with what is in it", *one.LogicalResourceId, *one.ResourceType)
	}
	return len(imports) > 0 && v.found == nil, nil
}
