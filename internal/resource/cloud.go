package resource

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// Cloud is a kind of resource as a CloudFormation stack has it. Kinds that this machine has too are a [Type] as well.
type Cloud interface {
	// Kind is the type's name in aloft.yml.
	Kind() string
	// Check returns Invalid for options that the kind does not have.
	Check(options map[string]string) error
	// Render returns what a resource is in a stack. It returns Invalid for options that AWS does not have.
	Render(in Rendering) (Rendered, error)
}

// Rendering is what a kind renders.
type Rendering struct {
	Stage    aloft.StageRef
	Resource aloft.Resource
	Name     string // physical, as StageRef.ResourceName has it
	ID       string // prefix of its logical ids, such as "Uploads"; the main thing has it alone
	VPC      *aloft.VPC
	Delete   bool // it goes with the stack, with what is in it; else it stays

	// Sibling is the logical id of a resource that options name, of the same release; "" if there is none.
	Sibling func(name string) string
}

// Rendered is a resource in a stack.
type Rendered struct {
	Resources map[string]cfn.Resource // by logical id
	Env       map[string]any          // variables of functions that use it, such as UPLOADS_BUCKET or DATABASE_URL
	ARN       any                     // of the main thing, nil if it has none

	// Access are the statements that an edge causes, by what it says behind the colon: "read", "write", "send", "receive"; "" is
	// an edge that says nothing. Statements name what they allow exactly: no "*" for a declared store.
	Access map[string][]cfn.Statement
	Single bool // it is in one region: an app in several needs to know
}
