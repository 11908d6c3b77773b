package aloft

import (
	"context"
	"io"
)

// Promoter makes what one stage runs a release of another one. Implementations: deploy.Deployer, client.Client.
type Promoter interface {
	// Promote makes a new release of a stage that has code, functions, routes, event sources and resources of a release of another
	// stage. Config, domains, what operators tuned and the settings of the platform stay those of the stage. If that is what the
	// stage has already it makes none and Unchanged is true. It returns NotFound if there is no such release, Invalid if it cannot
	// run there.
	Promote(ctx context.Context, input PromoteInput, report Reporter) (Deployment, error)
	// Promotable is a release of a stage as Promote takes it from elsewhere; 0 is the current one. Its config has names only. It
	// returns NotFound if there is none, Invalid for one without code, or that never served.
	Promotable(ctx context.Context, ref StageRef, version int) (Release, error)
	// OpenArtifact opens the zip of an artifact, which must be closed. It returns NotFound if there is no such artifact.
	OpenArtifact(ctx context.Context, digest string) (io.ReadCloser, error)
}

// PromoteInput names what to promote, and where to.
type PromoteInput struct {
	From    StageRef `json:"from"`
	To      StageRef `json:"to"`      // made if it is not there
	Version int      `json:"version"` // of From; 0 means its current release
	Canary  *Canary  `json:"canary,omitempty"`

	// Release is the one of From, if that is kept elsewhere, without values of its config. Packages are then the files of its
	// artifacts on the server's machine, by digest.
	Release  *Release          `json:"release,omitempty"`
	Packages map[string]string `json:"packages,omitempty"`

	// Dir is the source directory on the server's machine, if its files say how the stage runs: hooks, variables that it requires,
	// platform settings of its first release. "" if there is none.
	Dir         string       `json:"dir,omitempty"`
	Platform    PlatformName `json:"platform,omitempty"` // in place of what they say
	Author      string       `json:"author,omitempty"`
	Description string       `json:"description,omitempty"`
}
