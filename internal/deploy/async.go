package deploy

import (
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// asyncOf is what a function says of events that nobody waits for, nil if nothing.
func asyncOf(f manifest.FunctionSettings) *aloft.Async {
	if f.Async == (aloft.Async{}) {
		return nil
	}
	return &f.Async
}

// checkAsync refuses what is said of events for functions that get none, and destinations that lead nowhere or back.
func checkAsync(s manifest.Settings, all []aloft.Function) error {
	takes := map[string]bool{} // events
	for _, f := range all {
		takes[f.Name] = f.Kind == aloft.Handler || f.Kind == aloft.Web
	}
	for _, name := range slices.Sorted(maps.Keys(s.Functions)) {
		a := asyncOf(s.Functions[name])
		if a == nil || s.Functions[name].Off {
			continue
		}
		if !takes[name] {
			return aloft.Errorf(aloft.Invalid, "function %q gets no events", name).
				WithHint("retries, retry-delay, max-event-age, on-success, on-failure and loops are for handler functions; remove them")
		}
		for _, to := range []string{a.OnSuccess, a.OnFailure} {
			kind, target, _ := aloft.CutDestination(to)
			switch {
			case kind == "function" && target == name:
				return aloft.Errorf(aloft.Invalid, "function %q sends records of events to itself, which never ends", name).WithHint("name another function")
			case kind == "function" && !takes[target]:
				return aloft.Errorf(aloft.Invalid, "function %q sends records of events to the function %q, which gets no events", name, target).
					WithHint("name a handler function of the app")
			}
		}
	}
	return nil
}
