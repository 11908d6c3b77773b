package export

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/aloft-run/aloft/internal/cfn"
)

// The parameters of a template that aloft's own do not have.
const (
	bucketParameter   = "CodeBucket"
	revisionParameter = "Revision"
)

// forCLI makes a template one that the AWS CLI deploys: where the zips are is a parameter, and a version of a function is made
// anew whenever its code, its properties or the parameter Revision change.
func (in Input) forCLI(t *cfn.Template) error {
	if t.Parameters == nil {
		t.Parameters = map[string]cfn.Parameter{}
	}
	t.Parameters[bucketParameter] = cfn.Parameter{Type: "String", Description: "the bucket that the directory " + codeDir + " was copied to"}
	t.Parameters[revisionParameter] = cfn.Parameter{
		Type: "String", Default: "1", Description: "another text has the functions take new values of the other parameters",
	}
	for _, r := range t.Resources {
		switch r.Type {
		case "AWS::Lambda::Function":
			inBucket(r.Properties["Code"])
		case "AWS::Lambda::LayerVersion":
			inBucket(r.Properties["Content"])
		}
	}
	for id, r := range t.Resources {
		if r.Type == "AWS::Lambda::Version" { // by what functions are now
			digest, err := digestOf(t.Resources[functionOf(r)].Properties)
			if err != nil {
				return fmt.Errorf("write %s: %w", id, err)
			}
			r.Properties["Description"] = cfn.Sub("${" + revisionParameter + "} " + digest)
		}
	}
	return nil
}

// inBucket has code lie in the bucket that the parameter names, unless it lies somewhere else.
func inBucket(code any) {
	if object, ok := code.(map[string]any); ok && object["S3Bucket"] == bucketParameter {
		object["S3Bucket"] = cfn.Ref(bucketParameter)
	}
}

// functionOf is the logical id of the function of a version.
func functionOf(version cfn.Resource) string {
	object, _ := version.Properties["FunctionName"].(map[string]any)
	id, _ := object["Ref"].(string)
	return id
}

func digestOf(properties map[string]any) (string, error) {
	text, err := json.Marshal(properties)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:4]), err
}
