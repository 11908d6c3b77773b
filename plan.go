package aloft

import "strings"

// Plan is the difference a release would make.
type Plan struct {
	ID      string   `json:"id"` // names the state it was made against and the state it leads to; see DeployInput.Plan
	Stage   StageRef `json:"stage"`
	Current int      `json:"current"` // the release it was made against, 0 if none
	Build   Build    `json:"build"`
	Changes []Change `json:"changes"`
	Preview *Preview `json:"preview,omitempty"` // what the platform would do; nil if it is no Previewer
}

// Action is what happens to one thing.
type Action string

// The actions of a plan.
const (
	Add    Action = "add"
	Modify Action = "modify"
	Remove Action = "remove"
)

// Change is one difference. Before and After are for people; values of config never appear.
type Change struct {
	Action Action `json:"action"`
	Kind   string `json:"kind"` // "stage", "code", "function", "route", "env", "config", "resource", "aws"
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Losses are what of a plan somebody may miss; those of Preview. A plan without a preview has none.
func (p Plan) Losses() []Loss {
	var all []Loss
	if p.Preview == nil {
		return nil
	}
	for _, region := range p.Preview.Regions {
		if region.Adopts {
			all = append(all, Loss{region.Region, ResourceChange{Action: Modify, ID: region.Stack, Type: stackType}})
		}
		for _, c := range region.Resources {
			if region.Adopts && c.Action == Remove || c.Was != "" || !c.Part && (c.Action == Remove || c.Replace != "") {
				all = append(all, Loss{region.Region, c})
			}
		}
	}
	return all
}

// stackType is the type of a stack, as a resource.
const stackType = "AWS::CloudFormation::Stack"

// Loss is something that a plan replaces or deletes.
type Loss struct {
	Region string
	ResourceChange
}

// String says what is lost, in one line.
func (l Loss) String() string {
	if l.Type == stackType && l.Action == Modify {
		return l.Region + ": the stack " + l.ID + " is none of aloft's, and becomes it"
	}
	text := l.Region + ": " + l.ID + " (" + l.Type
	if l.Name != "" {
		text += ", " + l.Name
	}
	text += ") "
	if l.Was != "" {
		return text + "would take the place of " + l.Was + "; CloudFormation refuses another type under the same logical id"
	}
	switch {
	case l.Action == Remove:
		text += "is deleted"
	case l.Replace == ReplaceMaybe:
		text += "may be replaced by a new one" + l.because()
	default:
		text += "is replaced by a new one" + l.because()
	}
	switch {
	case l.Kept == KeptWhole && l.Action == Remove:
		text = strings.TrimSuffix(text, "is deleted") + "stays, no longer managed"
	case l.Kept == KeptWhole:
		text += "; the old one stays, no longer managed"
	case l.Kept == KeptSnapshot:
		text += "; a snapshot of it stays"
	}
	if l.Refused {
		text += "; CloudFormation refuses that as long as its name stays the same"
	}
	return text
}

func (l Loss) because() string {
	if len(l.Causes) == 0 {
		return ""
	}
	return " because of " + strings.Join(l.Causes, ", ")
}

// LossError is a change that would replace or delete what somebody may miss, and to which nobody agreed. Nothing was done.
type LossError struct {
	Plan Plan
	Err  *Error // of the code Conflict
}

// Error returns the message, without hint and detail.
func (e *LossError) Error() string { return e.Err.Error() }

// Unwrap returns the coded error.
func (e *LossError) Unwrap() error { return e.Err }
