package aws_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/aloft-run/aloft/internal/aws"
)

// TestAccountNeverWhole meets an account's stack whose creation failed and that nobody may delete, as older aloft left it.
func TestAccountNeverWhole(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	client := cloudformation.NewFromConfig(w.in(home))
	_, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: new("aloft"), EnableTerminationProtection: new(true),
		TemplateBody: new(`{"Description": "` + aws.AccountTemplate().Description + `", "Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "Nonsense", "Value": "x"}}}}`),
	})
	w.must(err)
	for w.stacks(home)["aloft"] != "ROLLBACK_COMPLETE" {
		time.Sleep(w.options.Poll)
	}
	w.must(w.platform.EnsureAccount(t.Context(), home, w.report))
	w.expectProtected()
}

// TestAccountProtected has the account's stack made, which is protected once it is whole, and found without protection.
func TestAccountProtected(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	config := w.cloud.Config.Copy()
	config.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if nameOf(r) == "CreateStack" {
			text, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(text))
			if err != nil || bytes.Contains(text, []byte("EnableTerminationProtection")) {
				t.Errorf("what is left if this fails nobody may delete: %s, %v", text, err)
			}
		}
		return w.cloud.Config.HTTPClient.Do(r)
	})}
	w.connect(config)
	w.must(w.platform.EnsureAccount(t.Context(), home, w.report))
	w.expectProtected()
	_, err := cloudformation.NewFromConfig(w.in(home)).UpdateTerminationProtection(t.Context(), &cloudformation.UpdateTerminationProtectionInput{
		StackName: new("aloft"), EnableTerminationProtection: new(false),
	})
	w.must(err)
	w.reconnect()
	w.must(w.platform.EnsureAccount(t.Context(), home, w.report))
	w.expectProtected()
}

func (w *world) expectProtected() {
	w.Helper()
	out, err := cloudformation.NewFromConfig(w.in(home)).DescribeStacks(w.Context(), &cloudformation.DescribeStacksInput{StackName: new("aloft")})
	w.must(err)
	if s := out.Stacks[0]; s.StackStatus != "CREATE_COMPLETE" || !*s.EnableTerminationProtection {
		w.Errorf("the account's stack is %s, protected: %v", s.StackStatus, *s.EnableTerminationProtection)
	}
}

// TestProtection: a stack that is made is not protected before it is whole, one that is protected costs no request, and one that
// must not be protected is good enough.
func TestProtection(t *testing.T) {
	t.Parallel()
	bare := strings.ReplaceAll(stackIs("CREATE_COMPLETE"), "Protection>true<", "Protection>false<")
	for _, test := range []struct {
		name, found, answer string
		asked               []string
		warned              bool
	}{
		{"it is", stackIs("CREATE_COMPLETE"), "", []string{"DescribeStacks "}, false},
		{"it is not", bare, "", []string{"DescribeStacks ", "UpdateTerminationProtection true"}, false},
		{"it must not be", bare, "!AccessDenied not authorized to perform: cloudformation:UpdateTerminationProtection", []string{"DescribeStacks ", "UpdateTerminationProtection true"}, true},
	} {
		q, config := fake(t, map[string][]string{"DescribeStacks": {test.found}, "UpdateTerminationProtection": {test.answer}})
		platform, err := fakePlatform(t, config)
		if err != nil {
			t.Fatal(err)
		}
		report := &reports{}
		if err := platform.EnsureAccount(t.Context(), home, report); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if !slices.Equal(q.asked[1:], test.asked) {
			t.Errorf("%s: asked %q", test.name, q.asked)
		}
		if text := report.String(); strings.Contains(text, "aloft.Warning") != test.warned || test.warned && !strings.Contains(text, "can be deleted by mistake") {
			t.Errorf("%s: %s", test.name, text)
		}
	}
}
