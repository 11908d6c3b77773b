package deploy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// maxConfig bounds the variables of a stage, names and values together, in bytes: what a program can be started with.
const maxConfig = 128 << 10

// Configure sets and unsets variables in one release; see [aloft.Deployer].
func (d *Deployer) Configure(ctx context.Context, input aloft.ConfigInput, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	if err := checkConfig(input); err != nil {
		return aloft.Deployment{}, err
	}
	ctx, unlock, err := d.lockStage(ctx, input.Stage, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unlock()
	state, err := d.configured(ctx, input)
	if err != nil {
		return aloft.Deployment{}, err
	}
	config, what := change(state.config, input)
	if maps.Equal(config, state.config) {
		return aloft.Deployment{Release: state.current, URL: d.URL(input.Stage), Unchanged: true, Elapsed: time.Since(began)}, nil
	}
	if err := checkSize(config); err != nil {
		return aloft.Deployment{}, err
	}
	next := state.current.Clone()
	next.StageRef = input.Stage
	next.Kind, next.Status, next.Reason = aloft.ConfigRelease, aloft.Pending, ""
	d.settle(&next, state.stage)
	next.Author, next.Description = input.Author, what
	if next.Config, err = d.Sealer.Seal(state.app, input.Stage.Stage, state.latest+1, config); err != nil {
		return aloft.Deployment{}, err
	}
	deployment, err := d.release(ctx, state, next, hooks{}, report)
	deployment.Elapsed = time.Since(began)
	return deployment, err
}

// configured is the state to change: setting a variable may come before the first deploy, so it makes app and stage.
func (d *Deployer) configured(ctx context.Context, input aloft.ConfigInput) (state, error) {
	if len(input.Set) > 0 {
		return d.ensure(ctx, input.Stage)
	}
	return d.load(ctx, input.Stage)
}

// change returns the changed config and a line that says what changed, by names only.
func change(old aloft.Config, input aloft.ConfigInput) (aloft.Config, string) {
	config := maps.Clone(old)
	var set, unset []string
	if input.Clear {
		unset = slices.Sorted(maps.Keys(config))
		config = aloft.Config{}
	}
	for _, k := range input.Unset {
		if _, ok := config[k]; ok {
			delete(config, k)
			unset = append(unset, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(input.Set)) {
		if v, ok := config[k]; !ok || v != input.Set[k] {
			config[k] = input.Set[k]
			set = append(set, k)
		}
	}
	var what []string
	if len(set) > 0 {
		what = append(what, "set "+strings.Join(set, ", "))
	}
	if len(unset) > 0 {
		what = append(what, "unset "+strings.Join(unset, ", "))
	}
	return config, strings.Join(what, "; ")
}

func checkConfig(input aloft.ConfigInput) error {
	if err := input.Stage.Check(); err != nil {
		return err
	}
	for k, v := range input.Set {
		if err := manifest.CheckVariable(k); err != nil {
			return err
		}
		if strings.ContainsRune(v, 0) {
			return aloft.Errorf(aloft.Invalid, "the value of %s holds a NUL byte, which no environment can carry", k).
				WithHint("encode binary values, for example as base64")
		}
	}
	return checkSize(input.Set) // before an app is made for it
}

func checkSize(config aloft.Config) error {
	size := 0
	for k, v := range config {
		size += len(k) + len(v)
	}
	if size > maxConfig {
		return aloft.Errorf(aloft.Invalid, "the variables take %s; %s is the most a process can be given", aloft.SizeText(int64(size)), aloft.SizeText(maxConfig)).
			WithHint("keep large values in a file or a store and set its name")
	}
	return nil
}

// checkRequired refuses a project, before it is built, that requires variables which nobody has set.
func (d *Deployer) checkRequired(ctx context.Context, p project) error {
	state, err := d.load(ctx, p.ref)
	if err != nil && aloft.ErrorCode(err) != aloft.NotFound {
		return err
	}
	var missing []string
	for _, v := range p.settings.Required {
		if _, set := state.config[v.Name]; v.Required && !v.Generate && !set {
			missing = append(missing, v.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return aloft.Errorf(aloft.Invalid, "app.json requires %s, which is not set", strings.Join(missing, ", ")).
		WithHint("set it first: aloft config set %s=… --stage %s", missing[0], p.ref.Stage)
}

// generated returns the config of the next release, sealed: the current one, plus the secrets that app.json asks to have
// made up.
func (d *Deployer) generated(state state, p project) (aloft.SealedConfig, error) {
	config := maps.Clone(state.config)
	for _, v := range p.settings.Required {
		if _, set := config[v.Name]; v.Generate && !set {
			config[v.Name] = secret()
		}
	}
	if maps.Equal(config, state.config) {
		return state.current.Clone().Config, nil
	}
	return d.Sealer.Seal(state.app, p.ref.Stage, state.latest+1, config)
}

const secretBytes = 32

// secret returns 256 random bits in hex.
func secret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}
