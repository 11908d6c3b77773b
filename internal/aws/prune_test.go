package aws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// TestRollbackKeepsItsLabel returns to a config that is older than the ten newest. The functions that serve read that label at
// each cold start.
func TestRollbackKeepsItsLabel(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	for n := range 12 {
		w.set("LARGE", strings.Repeat(string(rune('a'+n)), 5000))
		w.up("one")
	}
	release := w.release("one")
	back, err := w.apps.Release(t.Context(), w.ref, 1)
	w.must(err)
	release.Config = back.Config
	w.must(w.apply(t.Context(), release))
	_, err = secretsmanager.NewFromConfig(w.in(home)).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{
		SecretId: new("aloft/hello/production"), VersionStage: new("aloft-1"),
	})
	if err != nil {
		t.Errorf("the release that serves has lost its config: %v", err)
	}
}

// TestOldVersionThatServed returns to the oldest version and goes on from there: it stays as long as it was the one before.
func TestOldVersionThatServed(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	for n := range 21 {
		w.up(fmt.Sprint("release ", n))
	}
	w.up("release 1") // version 2
	w.aliasIs("2")
	w.up("new 1")
	w.up("release 1")
	w.aliasIs("2")
	w.up("new 2")
	_, err := lambda.NewFromConfig(w.in(home)).GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: new("hello-web"), Qualifier: new("2")})
	w.must(err)
}
