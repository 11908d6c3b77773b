package eventsource

import "github.com/aloft-run/aloft/internal/cfn"

// Cloud is a Source that a CloudFormation stack can have.
type Cloud interface {
	Source
	// Render returns what leads its events to a function in a stack. It returns Invalid for what AWS does not have.
	Render(in Rendering) (Rendered, error)
}

// Rendering is what a source renders for.
type Rendering struct {
	ID       string // prefix of its logical ids, unique in the stack: "WebQueueJobs"
	Alias    any    // ARN of the function's alias
	AliasID  string // logical id of the alias, for DependsOn
	Function string // physical name of the function
	Web      bool   // a web function: the shim turns events into requests

	// ARN is that of a declared resource of a kind, or of a name that no release declares: what text names it; "" if nothing does.
	ARN func(kind, name string) any
	// ID of the logical resource that is declared under a name; "" if none is.
	Declared func(kind, name string) string
}

// Rendered is a source in a stack.
type Rendered struct {
	Resources  map[string]cfn.Resource
	Statements []cfn.Statement // that the function's role needs, such as to receive from the queue

	// Patches are properties that resources of others get, by logical id: a bucket's notifications. Lists are appended.
	Patches map[string]map[string]any
}
