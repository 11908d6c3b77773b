package lambdaapi

import "context"

// keepMapping stores a mapping and has it run. The caller holds a.mu.
func (a *API) keepMapping(ctx context.Context, m mapping) error {
	if a.Mappings != nil {
		run, err := a.running(ctx, m)
		if err == nil {
			err = a.Mappings.Put(ctx, run)
		}
		if err != nil {
			return err
		}
	}
	return save(ctx, a.Docs, mappingPrefix+m.UUID, m)
}

// running is a mapping for who runs it.
func (a *API) running(ctx context.Context, m mapping) (Mapping, error) {
	t, err := a.find(ctx, m.Ref, "")
	if err != nil {
		return Mapping{}, err
	}
	return Mapping{
		UUID: m.UUID, Stage: t.stage.StageRef, Function: t.function.Name, Qualifier: t.qualifier, Source: m.source(), Enabled: m.Enabled, Settings: m.Settings,
	}, nil
}

// RestoreMappings makes all mappings run, after a start of the server. One whose function is gone does not.
func (a *API) RestoreMappings(ctx context.Context) error {
	all, err := a.mappings(ctx)
	if err != nil || a.Mappings == nil {
		return err
	}
	for _, m := range all {
		if run, err := a.running(ctx, m); err == nil {
			if err := a.Mappings.Put(ctx, run); err != nil {
				return err
			}
		}
	}
	return nil
}
