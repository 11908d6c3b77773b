package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/manifest"
)

// site is where a stage is: on the server of this machine, or in an account of AWS.
type site struct {
	aws                      bool
	profile, account, region string // of AWS; region is home. "": not said
}

// checkPlatform looks at the flags that say where a stage is.
func (p *program) checkPlatform() error {
	switch {
	case p.flags.platform != "" && p.flags.platform != string(aloft.OnLocal) && p.flags.platform != string(aloft.OnAWS):
		return aloft.Errorf(aloft.Invalid, "--platform %q is no platform", p.flags.platform).WithHint("it is local or aws")
	case p.flags.platform == string(aloft.OnLocal) && (p.flags.profile != "" || p.flags.region != ""):
		return aloft.Errorf(aloft.Invalid, "--profile and --region are for stages on AWS").WithHint("leave them out, or say --platform aws")
	case p.flags.region != "":
		return aws.CheckRegion(p.flags.region)
	}
	return nil
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

// String says where it is, for people.
func (s site) String() string {
	if !s.aws {
		return "this machine"
	}
	return strings.TrimSpace("AWS " + s.account + " " + s.region)
}
