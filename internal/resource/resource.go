// Package resource is the contract of what functions use besides each other: stores and services that a release declares,
// made on this machine and reached through AWS's API for them. Its kinds live below it: bucket (S3), queue (SQS), topic
// (SNS), stream (Kinesis). Who may ask is decided by who serves a kind's handler; a kind only knows which names it may show.
package resource

import (
	"context"
	"net/http"
	"slices"

	"github.com/aloft-run/aloft"
)

// Type is one kind of resource. Every kind passes resourcetest.Run.
type Type interface {
	// Kind is the type's name in aloft.yml: aloft.Bucket, aloft.Queue and so on.
	Kind() string
	// Check returns Invalid for options that the kind does not have.
	Check(options map[string]string) error
	// Provision makes a resource, or gives the one that is there these options. What is in it stays. It is durable, and
	// harmless when repeated. It returns Conflict if another owner has the name.
	Provision(ctx context.Context, claim Claim) error
	// Remove removes all that an owner has, with what is in it.
	Remove(ctx context.Context, owner aloft.StageRef) error
	// List lists what an owner has, by name; the zero owner is all.
	List(ctx context.Context, owner aloft.StageRef) ([]aloft.ResourceStatus, error)
	// Handler answers AWS's API for the resources that are visible. Requests are authenticated already. Names that are not
	// visible do not exist to it, and none but those can be made.
	Handler(visible Visible) http.Handler
}

// Claim is what Provision makes.
type Claim struct {
	Owner   aloft.StageRef
	Name    string // physical
	Options map[string]string

	// Sibling is the physical name of a resource that options name, of the same release.
	Sibling func(name string) string
}

// Visible is what somebody may see. The zero value sees all.
type Visible struct {
	Owner aloft.StageRef // has what is made through the API
	Only  map[Named]bool // nil is all
}

// Named is a resource, or a function as a target of subscriptions, by its physical name. Two of different kinds may have
// the same one, and different owners.
type Named struct{ Kind, Name string }

// Function is the kind of functions in Named.
const Function = "function"

// Sees reports whether a name of a kind is visible.
func (v Visible) Sees(kind, name string) bool { return v.Only == nil || v.Only[Named{kind, name}] }

// OwnerText is an owner as kinds store it: "app/stage", "" for none.
func OwnerText(owner aloft.StageRef) string {
	if owner == (aloft.StageRef{}) {
		return ""
	}
	return owner.String()
}

// Taken is the error of Provision for a name of another owner.
func Taken(kind, name, owner string) error {
	if owner == "" {
		owner = "somebody who made it through the API"
	}
	return aloft.Errorf(aloft.Conflict, "the %s %q belongs to %s", kind, name, owner).
		WithHint("delete it there, or choose another name in the resources section of aloft.yml")
}

// Options returns Invalid unless all options are among the known ones.
func Options(kind string, options map[string]string, known ...string) error {
	for name := range options {
		if !slices.Contains(known, name) {
			return aloft.Errorf(aloft.Invalid, "a %s has no option %q", kind, name)
		}
	}
	return nil
}
