package aloft

import "time"

// Reporter takes the progress of something long. Report must not block for long and may be called from several goroutines.
type Reporter interface {
	Report(event Event)
}

// Event is progress: one of the types of this file.
type Event interface{ event() }

// The steps of a deploy, in order.
const (
	StepDetect  = "detect"
	StepBuild   = "build"
	StepPackage = "package"
	StepRelease = "release"
	StepStart   = "start"
	StepCanary  = "canary"
	StepReady   = "ready"
)

// StepStarted says that a step began.
type StepStarted struct {
	Step string `json:"step"`
	Text string `json:"text,omitempty"`
}

// StepDone says that a step ended well.
type StepDone struct {
	Step    string        `json:"step"`
	Text    string        `json:"text,omitempty"` // what came of it: "node (package.json has a start script)"
	Elapsed time.Duration `json:"elapsed"`        // nanoseconds
}

// PartDone says that one part of a step ended well: a resource of a stack.
type PartDone struct {
	Step    string        `json:"step"`
	Text    string        `json:"text"` // "WebFunction (AWS::Lambda::Function) created"
	Elapsed time.Duration `json:"elapsed"`
}

// Output is one line that a build or a hook printed.
type Output struct {
	Step string `json:"step"`
	Text string `json:"text"`
}

// Warning is something the user should mend, though it does not stop the work.
type Warning struct {
	Text string `json:"text"`
}

// Notice is something the user may want to know: that the work waits, and for what.
type Notice struct {
	Text string `json:"text"`
}

func (StepStarted) event() {}
func (StepDone) event()    {}
func (PartDone) event()    {}
func (Output) event()      {}
func (Warning) event()     {}
func (Notice) event()      {}

// Discard is a Reporter that drops all events.
type Discard struct{}

// Report does nothing.
func (Discard) Report(Event) {}
