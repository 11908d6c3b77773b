package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// Check renders the stack of a release that is not made yet, as it will be in the home region, so that what AWS cannot have makes no
// release. It returns the renderer's warnings, and Invalid with the next step. Nothing is uploaded or changed.
func (p *Platform) Check(ctx context.Context, release aloft.Release) ([]string, error) {
	if release.AWS == nil || len(release.AWS.Regions) == 0 {
		return nil, nil
	}
	config := aloft.Config{}
	if release.Config.Version != 0 {
		var err error
		if config, err = p.Unseal(ctx, release); err != nil {
			return nil, fmt.Errorf("open the config: %w", err)
		}
	}
	if release.Artifact.Digest == "" { // config before the first deploy: of what it is for nothing is known
		return nil, stack.CheckNames("the config", bare(config))
	}
	if err := p.checkRoles(release); err != nil {
		return nil, err
	}
	if err := p.checkStack(ctx, release); err != nil {
		return nil, err
	}
	zones, err := p.zones(ctx, release.AWS)
	if err != nil {
		return nil, err
	}
	home := release.AWS.Regions[0]
	in := stack.Input{Release: release, Region: home, Zones: zones}
	in.Code, in.Layers = p.placesOf(release, home)
	in.Shim = stack.Object{Bucket: in.Code.Bucket, Key: shimPrefix + "any.zip"}
	delivery, large := p.deliveryOf(in, config)
	if large { // as long as its real name, nearly
		delivery.Secret = "arn:aws:secretsmanager:" + home + ":" + p.Session.Account + ":secret:" + SecretName(release.StageRef)
	}
	in.Config = delivery
	out, err := p.Render(in)
	return slices.Sorted(maps.Keys(unique(out.Warnings))), err
}

// checkRoles returns Invalid for a function's role of another account: Lambda takes none.
func (p *Platform) checkRoles(release aloft.Release) error {
	for _, f := range release.Tuned() {
		if f.Lambda == nil || f.Lambda.Role == "" {
			continue
		}
		if parts := strings.Split(f.Lambda.Role, ":"); len(parts) > 4 && parts[4] != p.Session.Account {
			return aloft.Errorf(aloft.Invalid, "functions.%s.lambda.role: %s is of the account %s, and the credentials are of %s", f.Name, f.Lambda.Role, parts[4], p.Session.Account).
				WithHint("name a role of that account in aloft.yml: Lambda takes no other; or use credentials of %s", parts[4])
		}
	}
	return nil
}

// checkStack returns Conflict if the stack that the next release is to be in is another's, or if the stage has one of another name:
// it would have two then, and its stores in the one that nobody asks any more.
func (p *Platform) checkStack(ctx context.Context, next aloft.Release) error {
	current, err := p.current(ctx, next.StageRef)
	if ignoreMissing(err) != nil {
		return err
	}
	places := placesOfReleases([]aloft.Release{current})
	if current.Version == 0 { // what the first tries left
		if places, err = p.placesOfStage(ctx, next.StageRef); err != nil {
			return err
		}
	}
	name := StackName(next)
	if current.Version == 0 || StackName(current) != name {
		if err := p.checkFree(ctx, next); err != nil {
			return err
		}
	}
	for _, at := range places {
		if at.stack.stack == name {
			continue
		}
		found, err := p.in(at.region).stackOf(ctx, at.stack.stack)
		if err != nil {
			return err
		}
		if found == nil || conditionOf(found.StackStatus) == inReview || p.in(at.region).own(ctx, found, at.stack) != nil {
			continue
		}
		return aloft.Errorf(aloft.Conflict, "%s is in the stack %s in %s, and its next release would be in another, %s", next.StageRef, at.stack.stack, at.region, name).
			WithHint("keep the name, aws: {stack: %s} in aloft.yml; or give the stage up first: aloft destroy %s leaves its stores, which the next aloft up takes in", at.stack.stack, next.Stage)
	}
	return nil
}

// checkFree returns Conflict if the stack that a release is to be in is there, and is neither the stage's nor one to become that.
func (p *Platform) checkFree(ctx context.Context, next aloft.Release) error {
	for _, region := range next.AWS.Regions {
		r := p.in(region)
		found, err := r.stackOf(ctx, StackName(next))
		if err == nil && found != nil {
			err = r.own(ctx, found, wanted(next))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bare is a config with each variable under the name that functions have it by.
func bare(config aloft.Config) aloft.Config {
	all := aloft.Config{}
	for name, value := range config {
		all[name[strings.IndexByte(name, '/')+1:]] = value
	}
	return all
}

func unique(texts []string) map[string]bool {
	all := map[string]bool{}
	for _, text := range texts {
		all[text] = true
	}
	return all
}

// placesOf says where the artifact and the layers of a release are in a region's bucket, or will be.
func (p *Platform) placesOf(release aloft.Release, region string) (artifact stack.Object, layers map[string]stack.Object) {
	place := func(digest string) stack.Object {
		return stack.Object{Bucket: p.Session.Bucket(region), Key: artifactPrefix + digest + ".zip"}
	}
	layers = map[string]stack.Object{}
	for _, digest := range release.Digests() {
		if digest != release.Artifact.Digest {
			layers[digest] = place(digest)
		}
	}
	return place(release.Artifact.Digest), layers
}
