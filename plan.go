package aloft

// Plan is the difference a release would make.
type Plan struct {
	ID      string   `json:"id"` // names the state it was made against and the state it leads to
	Stage   StageRef `json:"stage"`
	Current int      `json:"current"` // the release it was made against, 0 if none
	Build   Build    `json:"build"`
	Changes []Change `json:"changes"`
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
	Kind   string `json:"kind"` // "stage", "code", "function", "env", "config", "resource"
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}
