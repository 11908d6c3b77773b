package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

// releaseResult is a release as --json says it.
type releaseResult struct {
	Version     int                 `json:"version"`
	Current     bool                `json:"current"`
	Kind        aloft.ReleaseKind   `json:"kind"`
	Status      aloft.ReleaseStatus `json:"status"`
	Reason      string              `json:"reason,omitempty"`
	Artifact    artifactResult      `json:"artifact"`
	Buildpack   string              `json:"buildpack,omitempty"`
	Config      []string            `json:"config"` // names
	Author      string              `json:"author,omitempty"`
	Commit      string              `json:"commit,omitempty"`
	Description string              `json:"description,omitempty"`
	CreatedAt   time.Time           `json:"createdAt"`
}

func newReleases(p *program) *cobra.Command {
	var limit int
	c := newCommand(cobra.Command{
		Use:     "releases [stage] [flags]",
		Aliases: []string{"history"},
		Short:   "List the releases of a stage",
		Long: `Lists the releases of a stage, newest first: which serves, what each is made of, who made it, when, and why.

With --json: an array, newest first, of {"version", "current", "kind", "status", "reason", "artifact":
{"digest", "size", "files"}, "buildpack", "config" (names), "author", "commit", "description", "createdAt"}.

Exit status: 0 printed; 2 there is no such app or stage.`,
		Example: `  aloft releases
  aloft releases production -n 5
  aloft releases --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runReleases(c.Context(), p, first(args), limit) },
	})
	c.Flags().IntVarP(&limit, "limit", "n", 0, "at most so many; 0 is all")
	return c
}

func runReleases(ctx context.Context, p *program, stage string, limit int) error {
	if limit < 0 {
		return aloft.Errorf(aloft.Invalid, "--limit %d is negative", limit).WithHint("0 lists all")
	}
	ref, err := p.stage(stage)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	status, err := p.status(ctx, c, ref)
	if err != nil {
		return err
	}
	releases, err := c.Releases(ctx, ref, limit)
	if err != nil {
		return err
	}
	if p.flags.json {
		out := []releaseResult{}
		for _, r := range releases {
			out = append(out, releaseResult{
				Version: r.Version, Current: r.Version == status.Stage.Current, Kind: r.Kind, Status: r.Status, Reason: r.Reason,
				Artifact: artifactResult(r.Artifact), Buildpack: r.Buildpack, Config: names(r.Config), Author: r.Author,
				Commit: r.Commit, Description: r.Description, CreatedAt: r.CreatedAt,
			})
		}
		return p.printJSON(out)
	}
	return p.printReleases(releases, status.Stage.Current)
}

func names(config aloft.SealedConfig) []string {
	return append([]string{}, slices.Sorted(maps.Keys(config.Values))...)
}

func (p *program) printReleases(releases []aloft.Release, current int) error {
	rows := [][]string{{"RELEASE", "STATE", "ARTIFACT", "SIZE", "WHO", "WHEN", "WHAT"}}
	for _, r := range releases {
		state := ""
		switch {
		case r.Version == current:
			state = "current"
		case r.Status != aloft.Succeeded:
			state = string(r.Status)
		}
		size := ""
		if r.Artifact.Digest != "" {
			size = aloft.SizeText(r.Artifact.Size)
		}
		when := r.CreatedAt.Local().Format("2006-01-02 15:04:05")
		rows = append(rows, []string{fmt.Sprintf("v%d", r.Version), state, r.Artifact.Short(), size, r.Author, when, what(r)})
	}
	return table(p.out, rows)
}

// what says what a release is, in a line.
func what(r aloft.Release) string {
	text := string(r.Kind)
	switch {
	case r.Description == "":
	case r.Kind == aloft.DeployRelease:
		text += ": " + r.Description
	default: // says itself what it is: "rollback to v1", "set A"
		text = r.Description
	}
	if r.Commit != "" && r.Kind == aloft.DeployRelease {
		text += " (git " + r.Commit[:min(12, len(r.Commit))] + ")"
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return text
}
