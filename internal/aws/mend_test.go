package aws_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/aloft-run/aloft"
)

// statements are the Sids of who may ask the alias.
func (w *world) statements() []string {
	w.Helper()
	out, err := lambda.NewFromConfig(w.in(home)).GetPolicy(w.Context(), &lambda.GetPolicyInput{FunctionName: new("hello-web"), Qualifier: new("live")})
	w.must(err)
	var policy struct{ Statement []struct{ Sid string } }
	w.must(json.Unmarshal([]byte(*out.Policy), &policy))
	var all []string
	for _, s := range policy.Statement {
		all = append(all, s.Sid)
	}
	return all
}

func (w *world) revoke() {
	w.Helper()
	for _, sid := range w.statements() {
		_, err := lambda.NewFromConfig(w.in(home)).RemovePermission(w.Context(), &lambda.RemovePermissionInput{FunctionName: new("hello-web"), Qualifier: new("live"), StatementId: &sid})
		w.must(err)
	}
}

// TestMend takes away who may ask. The next deploy of any code finds visitors refused, names what is missing, and adds it.
func TestMend(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string][]string{
		aloft.HTTPAPI:     {"lambda:InvokeFunction for apigateway.amazonaws.com"},
		aloft.URLEndpoint: {"lambda:InvokeFunctionUrl for *", "lambda:InvokeFunction for *"},
	} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			w := newMiniStack(t)
			on := func(message string) {
				release := w.release(message)
				release.AWS.Endpoint = endpoint
				w.must(w.apply(t.Context(), release))
			}
			on("one")
			before := len(w.statements())
			w.revoke()
			w.cloudForbids()
			on("two")
			for _, missing := range want {
				if text := w.report.String(); !strings.Contains(text, missing) {
					t.Errorf("%s was not named:\n%s", missing, text)
				}
			}
			if got := w.statements(); len(got) != before || len(got) != len(want) {
				t.Errorf("statements: %q, %d before", got, before)
			}
			if endpoint == aloft.HTTPAPI { // MiniStack's function URLs are of AWS's domain, with https
				w.expect("two red")
			}
		})
	}
}
