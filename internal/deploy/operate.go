package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// Overview lists stages with what runs of them; see [aloft.Operator].
func (d *Deployer) Overview(ctx context.Context, app string) ([]aloft.Status, error) {
	if app != "" {
		if _, err := d.Apps.App(ctx, app); err != nil {
			return nil, err
		}
	}
	stages, err := d.Apps.Stages(ctx, app)
	if err != nil {
		return nil, err
	}
	all := make([]aloft.Status, 0, len(stages))
	for _, stage := range stages {
		status, err := d.statusOf(ctx, stage)
		if err != nil {
			return nil, err
		}
		all = append(all, status)
	}
	return all, nil
}

// StageStatus is what Overview says of one stage. It returns NotFound if there is none.
func (d *Deployer) StageStatus(ctx context.Context, ref aloft.StageRef) (aloft.Status, error) {
	if d.AWS != nil { // it says all itself
		return d.Platform.Status(ctx, ref)
	}
	stage, err := d.Apps.Stage(ctx, ref)
	if err != nil {
		return aloft.Status{}, err
	}
	return d.statusOf(ctx, stage)
}

func (d *Deployer) statusOf(ctx context.Context, stage aloft.Stage) (aloft.Status, error) {
	status, err := d.Platform.Status(ctx, stage.StageRef)
	if err != nil {
		return aloft.Status{}, err
	}
	status.Stage = stage
	if status.URL == "" {
		status.URL = d.URL(stage.StageRef)
	}
	if stage.Current == 0 || status.FunctionURLs != nil {
		return status, nil
	}
	release, err := d.Apps.Release(ctx, stage.StageRef, stage.Current)
	if err != nil {
		return aloft.Status{}, err
	}
	if urls := d.functionURLs(ctx, release); urls != nil {
		status.FunctionURLs = urls
	}
	return status, nil
}

// Config returns the variables of the current release; see [aloft.Operator].
func (d *Deployer) Config(ctx context.Context, ref aloft.StageRef) (aloft.Config, error) {
	state, err := d.load(ctx, ref)
	return state.config, err
}

// Stop ends the stage's instances until its next release; see [aloft.Operator].
func (d *Deployer) Stop(ctx context.Context, ref aloft.StageRef) error {
	ctx, unlock, err := d.lockStage(ctx, ref, d.Report)
	if err != nil {
		return err
	}
	defer unlock()
	stage, err := d.Apps.Stage(ctx, ref)
	if err != nil {
		return err
	}
	stage.Stopped = true
	if err := d.Apps.UpdateStage(ctx, stage); err != nil {
		return err
	}
	return d.Platform.Stop(ctx, ref)
}

// SetDomains replaces the stage's domains; see [aloft.Operator].
func (d *Deployer) SetDomains(ctx context.Context, ref aloft.StageRef, domains []string) (aloft.Stage, error) {
	return d.ChangeDomains(ctx, ref, domains, aloft.Discard{})
}

// ChangeDomains is SetDomains with progress: where domains are part of a release it makes one.
func (d *Deployer) ChangeDomains(ctx context.Context, ref aloft.StageRef, domains []string, report aloft.Reporter) (aloft.Stage, error) {
	clean := make([]string, 0, len(domains))
	for _, domain := range domains {
		domain = strings.ToLower(strings.TrimSuffix(domain, "."))
		if err := checkDomain(domain); err != nil {
			return aloft.Stage{}, err
		}
		clean = append(clean, domain)
	}
	slices.Sort(clean)
	ctx, unlock, err := d.lockStage(ctx, ref, report)
	if err != nil {
		return aloft.Stage{}, err
	}
	defer unlock()
	stage, err := d.Apps.Stage(ctx, ref)
	if err != nil {
		return aloft.Stage{}, err
	}
	before := stage.Clone()
	stage.Domains = slices.Compact(clean)
	if err := d.Apps.UpdateStage(ctx, stage); err != nil {
		return aloft.Stage{}, err
	}
	if d.AWS != nil {
		return stage, d.releaseDomains(ctx, before, stage, report)
	}
	return stage, d.Platform.Route(ctx, stage)
}

var domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// checkDomain accepts ASCII host names with at least one dot; names below localhost belong to the stages' own URLs.
func checkDomain(domain string) error {
	invalid := func(why string) error {
		return aloft.Errorf(aloft.Invalid, "%q cannot be a domain: %s", domain, why).WithHint("use a name such as www.example.com")
	}
	_, addrErr := netip.ParseAddr(domain)
	switch {
	case addrErr == nil:
		return invalid("it is an address")
	case domain == "localhost" || strings.HasSuffix(domain, ".localhost"):
		return invalid("names below localhost are given to stages by aloft")
	case len(domain) > 253 || !domainPattern.MatchString(domain):
		return invalid("it is not a host name (international names go in their xn-- form)")
	}
	return nil
}

// Destroy deletes a stage or a whole app and frees what only it held; see [aloft.Operator].
func (d *Deployer) Destroy(ctx context.Context, ref aloft.StageRef) error {
	if ref.Stage != "" {
		return d.destroyStage(ctx, ref)
	}
	if _, err := d.Apps.App(ctx, ref.App); err != nil {
		return err
	}
	stages, err := d.Apps.Stages(ctx, ref.App)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if err := d.destroyStage(ctx, stage.StageRef); err != nil && aloft.ErrorCode(err) != aloft.NotFound {
			return err
		}
	}
	return d.free(ctx, ref.App) // there may have been no stage
}

// destroyStage deletes the stage's rows first: if we are killed after that, the next start frees the rest. If ctx ends
// after that, all is freed nevertheless.
func (d *Deployer) destroyStage(ctx context.Context, ref aloft.StageRef) error {
	ctx, unlock, err := d.lockStage(ctx, ref, d.Report)
	if err != nil {
		return err
	}
	defer unlock()
	remove := d.Platform.Remove
	if d.Dismantle != nil {
		if _, err := d.Apps.Stage(ctx, ref); err != nil {
			return err
		}
		if err := d.Dismantle(ctx, ref); err != nil {
			return err
		}
		remove = func(context.Context, aloft.StageRef) error { return nil }
	}
	if err := d.Apps.DeleteStage(ctx, ref); err != nil {
		return err
	}
	removed := remove(ctx, ref)
	if d.Recordings != nil {
		removed = errors.Join(removed, d.Recordings.Delete(ref))
	}
	return errors.Join(removed, d.Logs.Delete(ref), d.free(ctx, ref.App))
}

// free deletes an app that has no stage left, its build cache, and the artifacts no release names any more. It ignores the
// end of ctx: with its stages gone nobody would ask for it again.
func (d *Deployer) free(ctx context.Context, app string) error {
	ctx = context.WithoutCancel(ctx)
	if err := d.freeApp(ctx, app); err != nil {
		return err
	}
	return d.collect(ctx)
}

func (d *Deployer) freeApp(ctx context.Context, app string) error {
	d.created.Lock() // or the app could get a stage between the look and the deletion
	defer d.created.Unlock()
	left, err := d.Apps.Stages(ctx, app)
	if err != nil || len(left) > 0 {
		return err
	}
	switch err := d.Apps.DeleteApp(ctx, app); {
	case aloft.ErrorCode(err) == aloft.Conflict: // another process made a stage since
		return nil
	case err != nil && aloft.ErrorCode(err) != aloft.NotFound:
		return err
	}
	unlock, ok := d.builds.try(app)
	if !ok { // a first deploy of another stage is building: the cache is its own now
		return nil
	}
	defer unlock()
	if err := os.RemoveAll(d.cacheDir(app)); err != nil {
		return fmt.Errorf("remove the build cache: %w", err)
	}
	return nil
}

// Restore makes every stage that is not stopped serve its current release again, and clears up after a server that was
// killed: releases left pending, build directories, artifacts nobody names.
func (d *Deployer) Restore(ctx context.Context) error {
	stages, err := d.Apps.Stages(ctx, "")
	if err != nil {
		return err
	}
	var restored []aloft.Restored
	for _, stage := range stages {
		if err := d.sweep(ctx, stage.StageRef, aloft.Discard{}); err != nil {
			return err
		}
		if stage.Current == 0 { // nothing to run, but it may have domains
			if err := d.Platform.Route(ctx, stage); err != nil {
				return err
			}
			continue
		}
		release, err := d.Apps.Release(ctx, stage.StageRef, stage.Current)
		if err != nil {
			return err
		}
		restored = append(restored, aloft.Restored{Stage: stage, Release: release})
	}
	if err := os.RemoveAll(d.buildsDir()); err != nil {
		return fmt.Errorf("remove build directories: %w", err)
	}
	if err := d.collect(ctx); err != nil {
		return err
	}
	return d.Platform.Restore(ctx, restored)
}
