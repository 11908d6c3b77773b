package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

const (
	// keptLabels is how many configs a secret keeps for rollbacks; Secrets Manager allows 20 labels.
	keptLabels = 10
	labelStart = "aloft-"
)

// SecretName is the name of the secret that has a stage's config where Lambda's environment has no room for it.
func SecretName(ref aloft.StageRef) string { return "aloft/" + ref.App + "/" + ref.Stage }

// delivery says how the release's config reaches its functions, and puts it into the secret if that is how.
func (r *regional) delivery(ctx context.Context) (stack.Config, error) {
	c, large := r.variables()
	if !large {
		return c, nil
	}
	var err error
	c.Secret, err = r.putSecret(ctx, c)
	return c, err
}

// variables are those of each function. Large says that they have no room in Lambda's environment.
func (r *regional) variables() (c stack.Config, large bool) {
	return r.deliveryOf(r.inputWith(stack.Config{}), r.config)
}

// deliveryOf says how a config reaches the functions that in is about: as parameters, or, if it is large, by a secret that is to
// be filled in, under a label.
func (p *Platform) deliveryOf(in stack.Input, config aloft.Config) (c stack.Config, large bool) {
	c = stack.Config{Variables: map[string]aloft.Config{}}
	some := false
	for _, f := range in.Release.Tuned() {
		c.Variables[f.Name] = config.For(f.Name)
		some = some || len(c.Variables[f.Name]) > 0
	}
	if some {
		in.Config = c
		_, err := p.Render(in)
		large = errors.Is(err, stack.ErrEnvironment)
	}
	if large {
		c.Label = fmt.Sprintf("%s%d", labelStart, in.Release.Config.Version)
	}
	return c, large
}

// putSecret stores the variables under the label, once: a label's content never changes. It returns the secret's ARN.
func (r *regional) putSecret(ctx context.Context, c stack.Config) (string, error) {
	name := SecretName(r.release.StageRef)
	text, err := json.Marshal(c.Variables)
	if err != nil {
		return "", fmt.Errorf("write the config: %w", err)
	}
	there, err := r.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: &c.Label})
	if err == nil && sdk.ToString(there.SecretString) == string(text) {
		return sdk.ToString(there.ARN), nil
	}
	if err != nil && !is(err, noResource, "InvalidRequestException") {
		return "", r.Session.explain(err, "look at the secret "+name+" in "+r.name)
	}
	if err := r.needSecret(ctx, name); err != nil {
		return "", err
	}
	put, err := r.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &name, SecretString: sdk.String(string(text)), VersionStages: []string{c.Label},
		ClientRequestToken: sdk.String(token("config")),
	})
	if err != nil {
		return "", r.Session.explain(err, "store the config in the secret "+name+" in "+r.name)
	}
	return sdk.ToString(put.ARN), nil
}

// needSecret makes the secret, or brings back one that is about to be deleted.
func (r *regional) needSecret(ctx context.Context, name string) error {
	found, err := r.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	switch {
	case is(err, noResource):
		var all []types.Tag
		for key, value := range stageTags(r.release.StageRef) {
			all = append(all, types.Tag{Key: sdk.String(key), Value: sdk.String(value)})
		}
		input := &secretsmanager.CreateSecretInput{
			Name: &name, Description: sdk.String("aloft: config of " + r.release.StageRef.String()), Tags: all, ClientRequestToken: sdk.String(token("secret")),
		}
		if r.release.AWS.KMSKey != "" {
			input.KmsKeyId = &r.release.AWS.KMSKey
		}
		_, err = r.secrets.CreateSecret(ctx, input)
		if is(err, "ResourceExistsException") {
			return nil
		}
	case err == nil && found.DeletedDate != nil:
		_, err = r.secrets.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &name})
	}
	return r.Session.explain(err, "make the secret "+name+" in "+r.name)
}

// pruneSecret takes the oldest labels from the secret, but for those of what serves and of what served before: Secrets Manager
// deletes versions without one, and functions read theirs at each cold start.
func (r *regional) pruneSecret(ctx context.Context) error {
	if r.input.Config.Secret == "" { // this release gave it no label
		return nil
	}
	name := SecretName(r.release.StageRef)
	found, err := r.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if is(err, noResource) {
		return nil
	}
	if err != nil {
		return r.Session.explain(err, "look at the secret "+name+" in "+r.name)
	}
	versions := map[int]string{} // by the number in their label
	for id, labels := range found.VersionIdsToStages {
		for _, label := range labels {
			if number, err := strconv.Atoi(strings.TrimPrefix(label, labelStart)); err == nil {
				versions[number] = id
			}
		}
	}
	numbers := make([]int, 0, len(versions))
	for number := range versions {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	for _, number := range numbers[:max(0, len(numbers)-keptLabels)] {
		if number == r.release.Config.Version || number == r.current.Config.Version {
			continue
		}
		_, err := r.secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: &name, VersionStage: sdk.String(fmt.Sprintf("%s%d", labelStart, number)), RemoveFromVersionId: sdk.String(versions[number]),
		})
		if err != nil {
			return r.Session.explain(err, "take an old label from the secret "+name)
		}
	}
	return nil
}

// removeSecret deletes the secret at once.
func (r *region) removeSecret(ctx context.Context, ref aloft.StageRef) error {
	name := SecretName(ref)
	_, err := r.secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: sdk.Bool(true)})
	if is(err, noResource) {
		return nil
	}
	return r.Session.explain(err, "delete the secret "+name+" in "+r.name)
}
