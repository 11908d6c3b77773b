package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// explain adds what does exist to an error that says something does not.
func (p *program) explain(ctx context.Context, c backend, ref aloft.StageRef, err error) error {
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != aloft.NotFound || ctx.Err() != nil {
		return err
	}
	b, onAWS := c.(*awsBackend)
	if onAWS && ref.Stage != "" {
		if lost := b.lost(ctx, ref); lost != nil {
			return e.WithHint("%s; %s", lost.Message, lost.Hint)
		}
	}
	statuses, listErr := c.Overview(ctx, "")
	if listErr != nil {
		return err
	}
	var apps, stages []string
	for _, s := range statuses {
		if !slices.Contains(apps, s.Stage.App) {
			apps = append(apps, s.Stage.App)
		}
		if s.Stage.App == ref.App {
			stages = append(stages, s.Stage.Stage)
		}
	}
	if m, err := p.manifest(ref.App); err == nil && ref.Stage != "" && !slices.Contains(stages, ref.Stage) {
		if near := nearest(ref.Stage, m.Stages()); near != "" && near != ref.Stage {
			return e.WithHint("did you mean %s?", near)
		}
	}
	switch {
	case len(apps) == 0 && onAWS:
		return e.WithHint("nothing is deployed yet: aloft up deploys the app in the current directory; if AWS has its stack, aloft import stack APP-STAGE makes the records again")
	case len(apps) == 0:
		return e.WithHint("nothing is deployed yet: aloft up deploys the app in the current directory")
	case len(stages) == 0:
		return e.WithHint("apps: %s", p.near(ref.App, apps))
	case ref.Stage != "" && !slices.Contains(stages, ref.Stage):
		return e.WithHint("stages of %s: %s", ref.App, p.near(ref.Stage, stages))
	case e.Hint == "":
		return e.WithHint("%s", releaseHint(ctx, c, ref))
	}
	return err
}

// near lists names, the one that word may have meant first.
func (p *program) near(word string, names []string) string {
	list := strings.Join(names, ", ")
	if near := nearest(word, names); near != "" {
		return fmt.Sprintf("%s; did you mean %s?", list, near)
	}
	return list
}

func releaseHint(ctx context.Context, c backend, ref aloft.StageRef) string {
	releases, err := c.Releases(ctx, ref, 20)
	if err != nil || len(releases) == 0 {
		return "see aloft releases " + ref.Stage
	}
	names := make([]string, len(releases))
	for i, r := range releases {
		names[i] = fmt.Sprintf("v%d", r.Version)
	}
	return fmt.Sprintf("releases of %s: %s", ref, strings.Join(names, ", "))
}

// status returns the stage's status. It returns NotFound, with what exists, if there is no such stage.
func (p *program) status(ctx context.Context, c backend, ref aloft.StageRef) (aloft.Status, error) {
	if one, is := c.(interface {
		StageStatus(ctx context.Context, ref aloft.StageRef) (aloft.Status, error)
	}); is {
		status, err := one.StageStatus(ctx, ref)
		return status, p.explainIf(ctx, c, ref, err)
	}
	statuses, err := c.Overview(ctx, ref.App)
	if err != nil {
		return aloft.Status{}, p.explain(ctx, c, ref, err)
	}
	for _, s := range statuses {
		if s.Stage.StageRef == ref {
			return s, nil
		}
	}
	return aloft.Status{}, p.explain(ctx, c, ref, aloft.Errorf(aloft.NotFound, "there is no stage %s", ref))
}
