package aws_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/aws"
)

var update = flag.Bool("update", false, "write the golden template")

// accountResource is what a template says of a resource, as JSON is decoded.
type accountResource struct {
	Type, DeletionPolicy, UpdateReplacePolicy string
	Properties                                map[string]any
}

// accountTemplate is the template of the account's stack, with its text.
func accountTemplate(t *testing.T) (resources map[string]accountResource, text []byte) {
	t.Helper()
	text, err := aws.AccountTemplate().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Resources map[string]accountResource }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all.Resources, text
}

// at is what keys and indices lead to; nil if there is no such thing.
func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

// TestAccountTemplate compares the template of the account's stack with the golden one, and has cfn-lint read it.
func TestAccountTemplate(t *testing.T) {
	t.Parallel()
	_, text := accountTemplate(t)
	file := filepath.Join("testdata", "account.json")
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(text) {
		t.Errorf("%s is not what AccountTemplate makes: go test ./internal/aws -run AccountTemplate -update, and look at the difference; accountFormat counts changes", file)
	}
	program, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed (pip install cfn-lint)")
	}
	if said, err := exec.CommandContext(t.Context(), program, "--regions", "us-east-1", "--", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// TestAccountBucket: the bucket of code and releases is versioned, encrypted with aloft's key, private, asked by TLS only, and stays;
// what is current in it never expires.
func TestAccountBucket(t *testing.T) {
	t.Parallel()
	resources, _ := accountTemplate(t)
	bucket := resources["Bucket"].Properties
	access := at(bucket, "PublicAccessBlockConfiguration")
	encryption := at(bucket, "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault")
	deny := at(resources["BucketPolicy"].Properties, "PolicyDocument", "Statement", 0)
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"versions", at(bucket, "VersioningConfiguration", "Status"), "Enabled"},
		{"the owner of objects", at(bucket, "OwnershipControls", "Rules", 0, "ObjectOwnership"), "BucketOwnerEnforced"},
		{"ACLs that are public", at(access, "BlockPublicAcls"), true},
		{"ACLs that were public", at(access, "IgnorePublicAcls"), true},
		{"policies that are public", at(access, "BlockPublicPolicy"), true},
		{"policies that were public", at(access, "RestrictPublicBuckets"), true},
		{"encryption", at(encryption, "SSEAlgorithm"), "aws:kms"},
		{"whose key", at(encryption, "KMSMasterKeyID", "Fn::GetAtt", 0), "Key"},
		{"the bucket of the policy", at(resources["BucketPolicy"].Properties, "Bucket", "Ref"), "Bucket"},
		{"requests without TLS", at(deny, "Effect"), "Deny"},
		{"whose requests", at(deny, "Principal"), "*"},
		{"which requests", at(deny, "Action"), "s3:*"},
		{"when", at(deny, "Condition", "Bool", "aws:SecureTransport"), "false"},
		{"of the bucket", at(deny, "Resource", 0, "Fn::GetAtt", 0), "Bucket"},
		{"of its objects", at(deny, "Resource", 1, "Fn::Sub"), "${Bucket.Arn}/*"},
		{"a new key each year", resources["Key"].Properties["EnableKeyRotation"], true},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	for _, id := range []string{"Bucket", "Key"} {
		if r := resources[id]; r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s goes with its stack", id)
		}
	}
}

// TestAccountLifecycle: rules delete versions that were replaced, and uploads that nobody ended; nothing else.
func TestAccountLifecycle(t *testing.T) {
	t.Parallel()
	resources, _ := accountTemplate(t)
	rules, _ := at(resources["Bucket"].Properties, "LifecycleConfiguration", "Rules").([]any)
	var does []string
	for _, rule := range rules {
		rule, _ := rule.(map[string]any)
		for key := range rule {
			switch key {
			case "Id", "Status":
			case "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration":
				does = append(does, key)
			default:
				t.Errorf("a rule of the bucket has %s, which may delete what a release needs", key)
			}
		}
		if rule["Status"] != "Enabled" {
			t.Errorf("the rule %v does nothing", rule["Id"])
		}
	}
	slices.Sort(does)
	if got := strings.Join(does, " "); got != "AbortIncompleteMultipartUpload NoncurrentVersionExpiration" {
		t.Errorf("the rules do %s", got)
	}
}
