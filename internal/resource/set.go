package resource

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/resource/wire"
)

// Set is the kinds of resources that there are, used together. Its zero value has none.
type Set struct{ Types []Type }

// find returns the kind of a name, Invalid if there is none.
func (s Set) find(kind string) (Type, error) {
	for _, t := range s.Types {
		if t.Kind() == kind {
			return t, nil
		}
	}
	return nil, aloft.Errorf(aloft.Invalid, "there is no type of resource %q", kind)
}

// Provision makes what a release declares, or gives what is there the release's options.
func (s Set) Provision(ctx context.Context, owner aloft.StageRef, resources []aloft.Resource) error {
	byName := map[string]aloft.Resource{}
	for _, r := range resources {
		byName[r.Name] = r
	}
	for _, r := range resources {
		t, err := s.find(r.Type)
		if err != nil {
			return err
		}
		if err := t.Provision(ctx, Claim{
			Owner: owner, Name: owner.ResourceName(r), Options: r.Options,
			Sibling: func(name string) string { return owner.ResourceName(byName[name]) },
		}); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes all that a stage has.
func (s Set) Remove(ctx context.Context, owner aloft.StageRef) error {
	for _, t := range s.Types {
		if err := t.Remove(ctx, owner); err != nil {
			return err
		}
	}
	return nil
}

// List lists what a stage has, by type and name; what the release declares with its name there.
func (s Set) List(ctx context.Context, owner aloft.StageRef, declared []aloft.Resource) ([]aloft.ResourceStatus, error) {
	all := []aloft.ResourceStatus{}
	for _, t := range s.Types {
		list, err := t.List(ctx, owner)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	for i := range all {
		for _, r := range declared {
			if all[i].Type == r.Type && all[i].Name == owner.ResourceName(r) {
				all[i].Resource, all[i].Variable = r.Name, Variable(r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b aloft.ResourceStatus) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// VisibleTo is what a release's functions may see: its resources and, as targets of subscriptions, themselves.
func VisibleTo(r aloft.Release) Visible {
	v := Visible{Owner: r.StageRef, Only: map[Named]bool{}}
	for _, one := range r.Resources {
		v.Only[Named{one.Type, r.ResourceName(one)}] = true
	}
	for _, f := range r.Functions {
		v.Only[Named{Function, r.NameOf(f)}] = true
	}
	return v
}

// ServiceNames are the names that signatures have for the services of all kinds, in order.
func ServiceNames() []string {
	var names []string
	for _, name := range services() {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	return names
}

// Services are the handlers of all kinds, by the names that signatures have for their services: "s3", "sqs", "sns", "kinesis".
func (s Set) Services(visible Visible) map[string]http.Handler {
	handlers := map[string]http.Handler{}
	for _, t := range s.Types {
		handlers[strings.ToLower(services()[t.Kind()])] = lineage.Traced(t.Handler(visible))
	}
	return handlers
}

// Handler answers all APIs at one address: it finds out which one a request is for.
func (s Set) Handler(visible Visible) http.Handler {
	handlers := s.Services(visible)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := handlers[serviceOf(r)]
		if h == nil {
			http.Error(w, "aloft serves S3, SQS, SNS and Kinesis here", http.StatusNotImplemented)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Protocols are those of HTTP that clients of the APIs speak, without TLS: AWS's SDK for JavaScript speaks the second to
// Kinesis.
func Protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

// MaxRequest is the most bytes that are read of a request that is read as a whole.
const MaxRequest = wire.MaxRequest

// IsStreamed reports whether a request is not read as a whole: one for a bucket, unless it is a document.
func IsStreamed(r *http.Request) bool { return serviceOf(r) == "s3" && r.Method != http.MethodPost }

// serviceOf is the service that a request is for.
func serviceOf(r *http.Request) string {
	if target, _, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		switch {
		case target == "AmazonSQS":
			return "sqs"
		case strings.HasPrefix(target, "Kinesis_"):
			return "kinesis"
		}
		return ""
	}
	if scope := strings.Split(Scope(r), "/"); len(scope) == 5 {
		return scope[3]
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return "sns"
	}
	return "s3"
}

// Scope is the credential of a request's signature: ACCESSKEY/DATE/REGION/SERVICE/aws4_request, "" if it is not signed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
func Scope(r *http.Request) string {
	if _, rest, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		scope, _, _ := strings.Cut(rest, ",")
		return strings.TrimSpace(scope)
	}
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4") {
		return ""
	}
	return r.URL.Query().Get("X-Amz-Credential")
}
