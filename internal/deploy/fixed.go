package deploy

import (
	"fmt"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// checkFixed returns Invalid for a release in which a source of a function differs from that of the current one in what AWS changes in
// no mapping; see [eventsource.Fixed].
func (d *Deployer) checkFixed(current, next aloft.Release) error {
	if d.AWS == nil || current.Artifact.Digest == "" {
		return nil
	}
	before := map[string]string{} // by function and source
	key := func(f aloft.Function, text string) string { return f.Name + " " + eventsource.Bare(text) }
	for _, f := range current.Tuned() {
		for _, text := range f.EventSources {
			before[key(f, text)] = text
		}
	}
	for _, f := range next.Tuned() {
		for _, text := range f.EventSources {
			was, err := d.fixed(next.StageRef, before[key(f, text)])
			if err != nil || was == "" {
				continue
			}
			is, err := d.fixed(next.StageRef, text)
			if err != nil || was == is {
				continue
			}
			return aloft.Errorf(aloft.Invalid, "%s has %s, and %s cannot be changed to %s: AWS has it as the mapping was made, and takes no second one beside it",
				f.Name, before[key(f, text)], was, is).WithHint("%s", twoSteps(next.StageRef, f.Name, before[key(f, text)]))
		}
	}
	return nil
}

// twoSteps says how to get what cannot be changed in one.
func twoSteps(ref aloft.StageRef, function, source string) string {
	return fmt.Sprintf("in two steps: aloft event-sources remove %s '%s' --stage %s, and then this command again. "+
		"What comes in between is read only if the new position is before that", function, source, ref.Stage)
}

// fixed is what AWS does not change of a source, "" if that is nothing.
func (d *Deployer) fixed(ref aloft.StageRef, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	source, err := d.Sources.Parse(ref, text)
	if err != nil {
		return "", err
	}
	if one, is := source.(eventsource.Fixed); is {
		return one.Fixed(), nil
	}
	return "", nil
}
