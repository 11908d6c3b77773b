package aws_test

import (
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/mem"
	"github.com/aloft-run/aloft/internal/stack"
)

// TestRoleOfAnotherAccount: Lambda takes roles of its own account only, and would say so when all else is made.
func TestRoleOfAnotherAccount(t *testing.T) {
	t.Parallel()
	_, config := fake(t, map[string][]string{"DescribeStacks": {"!ValidationError Stack with id hello-production does not exist"}})
	session, err := aws.Identify(t.Context(), config, aws.Want{})
	if err != nil {
		t.Fatal(err)
	}
	platform := aws.New(aws.Options{Session: session, Releases: &mem.Store{}, Render: stack.Render, Objects: func(string) aws.Objects { return nil }})
	release := aloft.Release{
		StageRef: aloft.StageRef{App: "hello", Stage: "production"}, AWS: &aloft.AWS{Regions: []string{home}}, Artifact: aloft.Artifact{Digest: "d"},
		Functions: []aloft.Function{{Name: "web", Kind: aloft.Web, Command: []string{"./server"}, Lambda: &aloft.Lambda{Role: "arn:aws:iam::444455556666:role/web"}}},
	}
	_, err = platform.Check(t.Context(), release)
	wantError(t, err, aloft.Invalid, "functions.web.lambda.role: arn:aws:iam::444455556666:role/web is of the account 444455556666, and the credentials are of 111122223333", "a role of that account")
	release.Functions[0].Lambda.Role = "arn:aws:iam::111122223333:role/web"
	if _, err := platform.Check(t.Context(), release); err != nil {
		t.Error(err)
	}
}
