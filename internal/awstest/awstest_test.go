package awstest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft/internal/awstest"
)

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// TestConditionalWrites checks what package s3 rests upon.
func TestConditionalWrites(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	client := s3.NewFromConfig(cloud.Config, func(o *s3.Options) { o.UsePathStyle = true })
	ctx, bucket, key := t.Context(), aws.String("bucket"), aws.String("key")
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}); err != nil {
		t.Fatal(err)
	}
	put := func(text, match, noneMatch string) (*s3.PutObjectOutput, error) {
		input := &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(text)}
		if match != "" {
			input.IfMatch = &match
		}
		if noneMatch != "" {
			input.IfNoneMatch = &noneMatch
		}
		return client.PutObject(ctx, input)
	}
	first, err := put("one", "", "*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put("two", "", "*"); code(err) != "PreconditionFailed" {
		t.Errorf("If-None-Match of an object that is there: %v", err)
	}
	if _, err := put("two", *first.ETag, ""); err != nil {
		t.Errorf("If-Match of the right ETag: %v", err)
	}
	if _, err := put("three", *first.ETag, ""); code(err) != "PreconditionFailed" {
		t.Errorf("If-Match of an old ETag: %v", err)
	}
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(got.Body); err != nil || string(text) != "two" {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestDataKeys(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	client, ctx := kms.NewFromConfig(cloud.Config), t.Context()
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	alias := aws.String("alias/aloft")
	if _, err := client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: made.KeyMetadata.KeyId}); err != nil {
		t.Fatal(err)
	}
	web := map[string]string{"aloft:app": "web"}
	key, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: alias, KeySpec: "AES_256", EncryptionContext: web})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: key.CiphertextBlob, EncryptionContext: web})
	if err != nil || !bytes.Equal(opened.Plaintext, key.Plaintext) {
		t.Errorf("Decrypt: %v", err)
	}
	if _, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: key.CiphertextBlob, EncryptionContext: map[string]string{"aloft:app": "api"}}); code(err) != "InvalidCiphertextException" {
		t.Errorf("Decrypt with another context: %v", err)
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x.lambda-url.eu-west-1.localhost/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := cloud.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
}
