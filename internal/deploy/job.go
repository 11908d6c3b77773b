package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/source"
)

// job is one build: a source and the plan for it.
type job struct {
	project project
	machine string // architecture that was asked for; "" means this machine's
	plan    buildpack.Plan
	src     *source.Tree
}

// steps are the plan's steps with the manifest's hooks and build command around them.
func (j *job) steps() []buildpack.Step {
	h := j.project.settings.Hooks
	steps := slices.Concat(shellSteps("prebuild", h.Prebuild), j.planned(), shellSteps("postbuild", h.Postbuild))
	for i, s := range steps {
		if s.Build { // not the installation of dependencies, which NODE_ENV and its like would change
			steps[i].Env = environment(environment(j.project.settings.Env, s.Env), j.plan.Cross[j.machine])
		}
	}
	return steps
}

// planned are the plan's steps. A build command of the manifest takes the place of those that build the app itself;
// dependencies are installed before it all the same.
func (j *job) planned() []buildpack.Step {
	commands := j.project.settings.Hooks.Build
	if line := j.project.settings.Build; line != "" {
		commands = []string{line}
	}
	if commands == nil {
		return j.plan.Steps
	}
	own := shellSteps("build", commands)
	at := slices.IndexFunc(j.plan.Steps, func(s buildpack.Step) bool { return s.Build })
	if at < 0 {
		return slices.Concat(j.plan.Steps, own)
	}
	rest := slices.DeleteFunc(slices.Clone(j.plan.Steps[at:]), func(s buildpack.Step) bool { return s.Build })
	return slices.Concat(j.plan.Steps[:at], own, rest)
}

func (j *job) builds() bool { return len(j.steps()) > 0 }

// stepNames says in a few words what a build does.
func stepNames(steps []buildpack.Step) string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.Name
	}
	return strings.Join(names, ", ")
}

func shellSteps(name string, shellLines []string) []buildpack.Step {
	var steps []buildpack.Step
	for _, line := range shellLines {
		steps = append(steps, buildpack.Step{
			Name: name + ": " + line, Command: []string{"/bin/sh", "-c", line}, Build: true, Needs: "install a POSIX shell as /bin/sh",
		})
	}
	return steps
}

// key names everything that decides what the job makes: the same key, the same artifact.
func (j *job) key() string {
	plan := j.plan
	plan.Resolve, plan.Start = nil, "" // Start does not change the tree
	text, err := json.Marshal(struct {
		Format int
		Source string
		Steps  []buildpack.Step
		Plan   buildpack.Plan
		Ignore []string
	}{1, j.src.Digest(), j.steps(), plan, j.project.settings.Ignore})
	if err != nil { // only if a plan holds what JSON cannot: a defect that must not pass for a cache hit
		text = []byte(j.project.dir + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// record is what is remembered of a build: enough to use its artifact again.
type record struct {
	Artifact aloft.Artifact   `json:"artifact"`
	Start    string           `json:"start,omitempty"`
	Largest  []aloft.PathSize `json:"largest,omitempty"`
}

// fill puts what the build made into its result. A start command found only in the built tree is put in here.
func (r record) fill(build *aloft.Build) {
	build.Artifact, build.Largest = r.Artifact, slices.Clone(r.Largest)
	for i, f := range build.Functions {
		if f.Kind == aloft.Web && len(f.Command) == 0 && r.Start != "" {
			build.Functions[i].Command = shell(r.Start)
		}
	}
}

func (d *Deployer) recordFile(key string) string { return filepath.Join(d.Dir, "records", key+".json") }

// recall returns what an earlier build with the same key made. Records are a cache: a damaged one counts as none.
func (d *Deployer) recall(key string) (record, bool) {
	var r record
	text, err := os.ReadFile(d.recordFile(key))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return record{}, false
	}
	return r, r.Artifact.Digest != ""
}

func (d *Deployer) remember(key string, r record) {
	text, err := json.Marshal(r)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(d.recordFile(key)), 0o700)
	}
	if err == nil {
		err = os.WriteFile(d.recordFile(key), text, 0o600)
	}
	if err != nil {
		d.Logger.Warn("remember a build", "error", err) // the next deploy builds again, no more
	}
}

// forget drops the records of builds whose artifact is gone.
func (d *Deployer) forget() {
	files, _ := filepath.Glob(d.recordFile("*"))
	for _, file := range files {
		key := strings.TrimSuffix(filepath.Base(file), ".json")
		if r, ok := d.recall(key); !ok || !d.Artifacts.Has(r.Artifact.Digest) {
			_ = os.Remove(file) // a cache; the next collection tries again
		}
	}
}

// maxIndexes is how many source directories are remembered. Continuous integration deploys from a new one each time.
const maxIndexes = 200

// trimIndexes drops the indexes that were written longest ago.
func (d *Deployer) trimIndexes() {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(d.indexFile("")), "*"))
	if len(files) <= maxIndexes {
		return
	}
	written := map[string]time.Time{}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			written[file] = info.ModTime()
		}
	}
	slices.SortFunc(files, func(a, b string) int { return written[a].Compare(written[b]) })
	for _, file := range files[:len(files)-maxIndexes] {
		_ = os.Remove(file) // a cache; the next collection tries again
	}
}

// indexFile is where the digests of a source directory's files are kept between scans.
func (d *Deployer) indexFile(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(d.Dir, "index", hex.EncodeToString(sum[:8]))
}
