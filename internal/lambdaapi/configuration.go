package lambdaapi

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"time"

	"github.com/aloft-run/aloft"
)

// The attributes that are numbers and texts of ours. All others are parts of a FunctionConfiguration as they are.
const (
	attrSha  = "CodeSha256"
	attrSize = "CodeSize"
	attrDead = "DeadLetterConfig"
)

// configuration is a FunctionConfiguration.
func (a *API) configuration(ctx context.Context, t *target) (map[string]any, error) {
	config, err := a.Unseal(ctx, t.release)
	if err != nil {
		return nil, err
	}
	variables := maps.Clone(t.function.Env)
	if variables == nil {
		variables = map[string]string{}
	}
	maps.Copy(variables, config.For(t.function.Name))
	c := t.facts()
	if len(variables) > 0 {
		c["Environment"] = map[string]any{"Variables": variables}
	}
	return c, nil
}

// facts is a FunctionConfiguration without what is sealed.
func (t *target) facts() map[string]any {
	f := t.function
	digest, _ := hex.DecodeString(t.release.Artifact.Digest)
	c := map[string]any{
		"FunctionName": t.name, "FunctionArn": arn(t.name, t.arnQualifier()), "Version": t.version(),
		"Runtime": f.Runtime, "Handler": f.Handler, "Role": arnRole, "Description": "",
		"MemorySize": f.Memory, "Timeout": int(time.Duration(f.Timeout) / time.Second),
		"CodeSha256": base64.StdEncoding.EncodeToString(digest), "CodeSize": t.release.Artifact.Size,
		"LastModified": timeText(t.release.CreatedAt), "RevisionId": t.revision(),
		"State": "Active", "LastUpdateStatus": "Successful", "PackageType": "Zip",
		"Architectures": []string{architecture()}, "TracingConfig": map[string]string{"Mode": "PassThrough"},
		"EphemeralStorage": map[string]int{"Size": 512}, "SnapStart": map[string]string{"ApplyOn": "None", "OptimizationStatus": "Off"},
		"LoggingConfig":        map[string]string{"LogFormat": "Text", "LogGroup": "/aws/lambda/" + t.name},
		"RuntimeVersionConfig": map[string]string{"RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:" + f.Runtime},
	}
	for name, text := range f.Attributes {
		c[name] = json.RawMessage(text)
	}
	for name, text := range t.record.Attributes {
		c[name] = json.RawMessage(text)
	}
	if note, ok := t.record.Versions[t.version()]; ok && note.Description != "" {
		c["Description"] = note.Description
	}
	return c
}

// arnRole is the role of functions that have none.
const arnRole = "arn:aws:iam::000000000000:role/aloft"

// arnQualifier is what a FunctionArn ends with: GetFunctionConfiguration of a version or an alias names it.
func (t *target) arnQualifier() string {
	if t.qualifier == latest {
		return latest
	}
	return t.qualifier
}

// revision is the RevisionId of the function's configuration.
func (t *target) revision() string {
	return revision(t.name, t.stage.CreatedAt.UnixNano(), t.release.Version, t.version(), t.record.Attributes)
}

// configured is a target's FunctionConfiguration after a release.
func (a *API) configured(ctx context.Context, t *target, release aloft.Release) (map[string]any, error) {
	stage, err := a.Apps.Stage(ctx, t.stage.StageRef)
	if err != nil {
		return nil, err
	}
	t.stage, t.release = stage, release
	if f, ok := functionOf(release, t.name); ok {
		t.function = f
	}
	return a.configuration(ctx, t)
}
