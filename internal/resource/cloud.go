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
	ID       string // prefix of its logical ids, such as "Uploads"; the main thing has it alone, unless options make another type of it
	VPC      *aloft.VPC
	KMSKey   string // ARN of the key that encrypts it at rest; "" is one that AWS keeps for the service
	Delete   bool   // it goes with the stack, with what is in it; else it stays

	// Sibling is the logical id of a resource that options name, of the same release; "" if there is none.
	Sibling func(name string) string
}

// Rendered is a resource in a stack.
type Rendered struct {
	Resources map[string]cfn.Resource // by logical id
	Env       map[string]any          // variables of functions that use it, such as UPLOADS_BUCKET or DATABASE_URL
	ARN       any                     // of the main thing, nil if it has none
	Name      string                  // of the main thing as text for Fn::Sub, if it is not Rendering.Name

	// Access are the statements that an edge causes, by what it says behind the colon: "read", "write", "send", "receive"; "" is
	// an edge that says nothing, which has those of all words. Statements name what they allow exactly: no "*" for a declared store.
	Access map[string][]cfn.Statement
	Single bool // it is in one region: an app in several needs to know
}

// The policies of CloudFormation for what leaves a stack.
const (
	retain = "Retain"
	// retainOnceMade keeps what a stack has had, and clears up after a stack that could not be made: what stays would be in the
	// way of the next try, whose names are the same.
	retainOnceMade = "RetainExceptOnCreate"
	deletePolicy   = "Delete"
)

// Store is a thing with data in it: it stays when its stack goes, and when another takes its place, unless in.Delete.
func (in Rendering) Store(kind string, properties map[string]any) cfn.Resource {
	r := cfn.Resource{Type: kind, Properties: properties, DeletionPolicy: retainOnceMade, UpdateReplacePolicy: retain}
	if in.Delete {
		r.DeletionPolicy, r.UpdateReplacePolicy = deletePolicy, deletePolicy
	}
	return r
}

// Variable is the name of its variable.
func (in Rendering) Variable() string { return Variable(in.Resource) }

// Access returns statements by word, with those of an edge without one. What is encrypted with the app's own key needs the
// key as well: to read what is there, and to write.
func (in Rendering) Access(words map[string][]cfn.Statement) map[string][]cfn.Statement {
	all := map[string][]cfn.Statement{"": nil}
	for _, word := range aloft.EdgeWords(in.Resource.Type) {
		statements := append(words[word], in.key(word)...)
		all[word] = statements
		all[""] = append(all[""], statements...)
	}
	return all
}

// key is what an edge may do with the key. Writing in parts reads what was written before.
func (in Rendering) key(word string) []cfn.Statement {
	if in.KMSKey == "" {
		return nil
	}
	actions := []string{"kms:Decrypt"}
	if word == aloft.EdgeWrite || word == aloft.EdgeSend {
		actions = append(actions, "kms:GenerateDataKey")
	}
	return []cfn.Statement{{Action: actions, Resource: in.KMSKey}}
}

// OverTLS is a policy of a resource that refuses requests without TLS.
func OverTLS(action string, resources ...any) map[string]any {
	return map[string]any{"Version": cfn.PolicyVersion, "Statement": []any{map[string]any{
		"Sid": "OverTLS", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resources,
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}}}
}
