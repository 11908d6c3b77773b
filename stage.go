package aloft

import (
	"context"
	"slices"
	"time"
)

// Production is the stage whose host is the app's name alone; DefaultStage is deployed when none is named.
const (
	Production   = "production"
	DefaultStage = "staging"
)

// StageRef names a stage of an app.
type StageRef struct {
	App   string `json:"app"`
	Stage string `json:"stage"`
}

// String returns "app/stage".
func (r StageRef) String() string { return r.App + "/" + r.Stage }

// Label is the first label of the stage's host: APP for production, APP-STAGE for others.
func (r StageRef) Label() string {
	if r.Stage == Production {
		return r.App
	}
	return r.App + "-" + r.Stage
}

// Check returns an Invalid error unless both names are allowed and the label fits a DNS label (63 bytes).
func (r StageRef) Check() error {
	if err := CheckName("app", r.App); err != nil {
		return err
	}
	if err := CheckName("stage", r.Stage); err != nil {
		return err
	}
	if len(r.Label()) > 63 {
		return Errorf(Invalid, "host label %q is longer than 63 characters", r.Label()).WithHint("shorten the app or stage name")
	}
	return nil
}

// Stage is an environment of an app: a current release, domains, and whether it runs.
type Stage struct {
	StageRef
	Current   int       `json:"current"`           // version of the serving release; 0 before the first
	Domains   []string  `json:"domains,omitempty"` // hosts besides the stage's own, sorted
	Stopped   bool      `json:"stopped,omitempty"` // stopped by the user: no instance runs until the next release
	CreatedAt time.Time `json:"createdAt"`
}

// Clone returns a copy that shares no memory with s.
func (s Stage) Clone() Stage {
	s.Domains = slices.Clone(s.Domains)
	return s
}

// StageStore keeps stages.
type StageStore interface {
	// CreateStage stores a new stage of an existing app. It returns Invalid for bad names, NotFound if the app does not
	// exist, and Conflict if the stage exists or another stage has the same Label.
	CreateStage(ctx context.Context, stage Stage) error
	// Stage returns NotFound if the app or the stage does not exist.
	Stage(ctx context.Context, ref StageRef) (Stage, error)
	// Stages lists the stages of an app by name, of all apps if app is "".
	Stages(ctx context.Context, app string) ([]Stage, error)
	// UpdateStage stores Domains and Stopped; other fields are left alone. It returns NotFound if the stage does not
	// exist, Conflict if another stage has one of the domains.
	UpdateStage(ctx context.Context, stage Stage) error
	// DeleteStage deletes a stage and its releases. It returns NotFound if there is none.
	DeleteStage(ctx context.Context, ref StageRef) error
}
