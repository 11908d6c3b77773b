package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/client"
	"github.com/aloft-run/aloft/internal/manifest"
)

// site is where a stage is: on the server of this machine, or in an account of AWS.
type site struct {
	aws                      bool
	profile, account, region string // of AWS; region is home. "": not said
}

var profileName = regexp.MustCompile(`^[^\s\[\]\x00-\x1f]+$`)

// checkPlatform looks at the flags that say where a stage is. Given says which were given.
func (p *program) checkPlatform(given func(name string) bool) error {
	switch {
	case given("platform") && p.flags.platform != string(aloft.OnLocal) && p.flags.platform != string(aloft.OnAWS):
		return aloft.Errorf(aloft.Invalid, "--platform %q is no platform", p.flags.platform).WithHint("it is local or aws")
	case p.flags.platform == string(aloft.OnLocal) && (p.flags.profile != "" || p.flags.region != ""):
		return aloft.Errorf(aloft.Invalid, "--profile and --region are for stages on AWS").WithHint("leave them out, or say --platform aws")
	case given("profile") && !profileName.MatchString(p.flags.profile):
		return aloft.Errorf(aloft.Invalid, "--profile %q is no name of a profile", p.flags.profile).WithHint("aws configure list-profiles lists them")
	case given("region"):
		return checkRegion(p.flags.region)
	}
	return nil
}

// checkRegion returns Invalid for what is no region, with the one that was meant.
func checkRegion(name string) error {
	err := aws.CheckRegion(name)
	if e, ours := errors.AsType[*aloft.Error](err); ours {
		if near := nearest(name, aws.Regions()); near != "" {
			return e.WithHint("did you mean %s?", near)
		}
	}
	return err
}

// site is where a stage is: what the flags say, else what the aloft.yml of its app says, if that is the one in the directory. Of an
// app, with a stage "", it is what the file says for all stages.
func (p *program) site(ref aloft.StageRef) (site, error) {
	s, err := p.settings(ref)
	if err != nil {
		return site{}, err
	}
	platform := s.Platform
	if p.flags.platform != "" {
		platform = p.flags.platform
	}
	if platform != string(aloft.OnAWS) {
		if p.flags.profile+p.flags.region != "" {
			return site{}, aloft.Errorf(aloft.Invalid, "--profile and --region are for stages on AWS, and %s is not", ref).
				WithHint("add --platform aws, or platform: aws to %s", manifest.AloftFile)
		}
		return site{}, nil
	}
	at := site{aws: true, profile: p.flags.profile, region: p.flags.region}
	if s.AWS == nil {
		return at, nil
	}
	for _, region := range s.AWS.Regions {
		if err := checkRegion(region); err != nil {
			return site{}, fmt.Errorf("%s: %w", manifest.AloftFile, err)
		}
	}
	if len(s.AWS.Regions) > 0 && at.region != "" && at.region != s.AWS.Regions[0] {
		return site{}, aloft.Errorf(aloft.Invalid, "--region %s is not the home of %s: the first of regions in %s is %s", at.region, ref, manifest.AloftFile, s.AWS.Regions[0]).
			WithHint("leave --region out; a region more goes behind the first one in regions, another home is another stage without the records of this one")
	}
	at.account = s.AWS.Account
	if at.profile == "" {
		at.profile = s.AWS.Profile
	}
	if at.region == "" && len(s.AWS.Regions) > 0 {
		at.region = s.AWS.Regions[0]
	}
	return at, nil
}

// settings are what the directory's files say of a stage; nothing if it is the directory of another app, or of none.
func (p *program) settings(ref aloft.StageRef) (manifest.Settings, error) {
	m, err := p.manifest(ref.App)
	return m.Stage(ref.Stage), err
}

// manifest reads the directory's files if they are those of the app. Where the app is named by a flag, what is wrong with files
// that may be another's is no error.
func (p *program) manifest(app string) (manifest.Manifest, error) {
	none := func(err error) (manifest.Manifest, error) {
		if p.flags.appSet || app == "" {
			err = nil
		}
		return manifest.Manifest{}, err
	}
	dir, err := p.dir()
	if err != nil {
		return none(err)
	}
	m, _, err := manifest.Load(os.DirFS(dir))
	if err != nil {
		return none(err)
	}
	if name, err := manifest.AppName(m, dir); err != nil || name != app {
		return none(nil)
	}
	return m, nil
}

// sites are all the places that stages of an app may be in, that of the app as a whole first.
func (p *program) sites(app string) ([]site, error) {
	m, err := p.manifest(app)
	if err != nil {
		return nil, err
	}
	var all []site
	for _, stage := range append([]string{""}, m.Stages()...) {
		at, err := p.site(aloft.StageRef{App: app, Stage: stage})
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	return all, nil
}

// overview is what runs of an app, wherever its stages are. No server is started to find that none has the app.
func (p *program) overview(ctx context.Context, app string, drift bool) ([]statusResult, error) {
	sites, err := p.sites(app)
	if err != nil {
		return nil, err
	}
	all := []statusResult{}
	var missing error
	for _, at := range sites {
		found, err := p.overviewOf(ctx, at, overviewing{app, len(sites) > 1, drift})
		if aloft.ErrorCode(err) == aloft.NotFound {
			missing = err
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return all, missing
	}
	return all, nil
}

// overviewing is what is to be found out of an app: whether it may be in several places, and whether its stacks drifted.
type overviewing struct {
	app            string
	several, drift bool
}

// overviewOf is what a site has of an app. With one of several, a server that does not run has nothing.
func (p *program) overviewOf(ctx context.Context, at site, o overviewing) ([]statusResult, error) {
	c, err := p.at(ctx, at, !o.several)
	if aloft.ErrorCode(err) == aloft.Unavailable && !at.aws && o.several {
		return nil, aloft.Errorf(aloft.NotFound, "there is no app %q", o.app)
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if b, onAWS := c.(*awsBackend); onAWS {
		all, err := b.looks(ctx, o.app, o.drift)
		return all, p.explainIf(ctx, c, aloft.StageRef{App: o.app}, err)
	}
	found, err := c.Overview(ctx, o.app)
	if err != nil {
		return nil, p.explainIf(ctx, c, aloft.StageRef{App: o.app}, err)
	}
	all := []statusResult{}
	for _, status := range found {
		if o.drift {
			p.tellNoDrift(status.Stage.StageRef)
		}
		one, err := p.statusOnServer(ctx, c, status)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// at returns what a site has. A server of this machine is started, if start says so, or Unavailable is returned.
func (p *program) at(ctx context.Context, at site, start bool) (backend, error) {
	if at.aws {
		return p.openAWS(ctx, at)
	}
	if start {
		return p.server(ctx)
	}
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	c := client.New(socketPath(home))
	if err := answers(ctx, c, home); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}
