package cli

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

var (
	// revision is what may name a commit, and no option of Git's.
	revision  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/~^+-]*$`)
	hexDigits = regexp.MustCompile(`^[0-9a-f]{4,40}$`)
)

// checkTarget returns Invalid for what cannot name a release: neither a version, nor a commit, nor a tag.
func checkTarget(text string) (string, error) {
	if text != "" && !revision.MatchString(text) {
		return "", aloft.Errorf(aloft.Invalid, "%q is no release", text).WithHint("name one as aloft releases does: v5; or a commit, or a tag")
	}
	return text, nil
}

// target is the release of a stage that a text names: a version, or a commit or a tag that it was made of. "" is 0. It returns
// NotFound if there is none, Invalid if there are several.
func (p *program) target(ctx context.Context, c records, ref aloft.StageRef, text string) (int, error) {
	const shortest = 7 // digits that Git shows of a commit
	version, is := aloft.ParseVersion(text)
	if text == "" || is && (len(text) < shortest || strings.HasPrefix(text, "v")) {
		return version, nil
	}
	releases, err := c.Releases(ctx, ref, 0)
	if aloft.ErrorCode(err) == aloft.NotFound && p.isStage(ref.App, text) {
		return 0, noRelease(ref, text)
	}
	if err != nil {
		return 0, err
	}
	commits, err := p.commitsOf(ctx, releases, text)
	if err != nil {
		return 0, err
	}
	for _, r := range releases { // newest first
		if r.Status == aloft.Succeeded && r.Artifact.Digest != "" && slices.Contains(commits, r.Commit) {
			return r.Version, nil
		}
	}
	if p.isStage(ref.App, text) {
		return 0, noRelease(ref, text)
	}
	return 0, aloft.Errorf(aloft.NotFound, "%s has no release of %q that served", ref, text).
		WithHint("name one as aloft releases does: v5; aloft releases --json says which commits they are of")
}

// commitsOf is the commit of the repository that a text names, as Git reads it, or that of the releases which begins with it. It
// returns Invalid if the text begins several.
func (p *program) commitsOf(ctx context.Context, releases []aloft.Release, text string) ([]string, error) {
	if dir, err := p.dir(); err == nil {
		if commit := revParse(ctx, dir, text); commit != "" {
			return []string{commit}, nil
		}
	}
	var commits []string
	for _, r := range releases {
		if hexDigits.MatchString(text) && strings.HasPrefix(r.Commit, text) && !slices.Contains(commits, r.Commit) {
			commits = append(commits, r.Commit)
		}
	}
	if len(commits) > 1 {
		return nil, aloft.Errorf(aloft.Invalid, "%s begins %d commits: %s", text, len(commits), strings.Join(commits, ", ")).WithHint("give more digits")
	}
	return commits, nil
}

// isStage reports whether a text that names no release names a stage.
func (p *program) isStage(app, text string) bool {
	m, err := p.manifest(app)
	return text == aloft.Production || text == aloft.DefaultStage || err == nil && slices.Contains(m.Stages(), text)
}

func noRelease(ref aloft.StageRef, stage string) error {
	return aloft.Errorf(aloft.Invalid, "%s has no release called %s", ref, stage).WithHint("for the stage of that name: --stage %s", stage)
}
