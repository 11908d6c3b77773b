package aws

import (
	"context"
	"fmt"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// AccountStack is the stack that an account has in each region beside those of its stages: the bucket of code and state, and
// the key that seals config.
const AccountStack = "aloft"

// accountFormat counts the changes of the account's template. A stack with a higher one is a newer aloft's, and left alone.
const (
	accountFormat = 1
	outputFormat  = "Format"
)

// The tag of what the account's stack has.
const (
	accountTag    = "aloft"
	accountTagged = "account"
)

// Days after which what nothing names any more is deleted.
const (
	abandonedUploadDays = 7
	oldVersionDays      = 30
)

// AccountTemplate is the template of the account's stack. Bucket and key outlive it: releases are in them. Objects that are
// current never expire.
func AccountTemplate() cfn.Template {
	bucket := cfn.Sub("aloft-${AWS::AccountId}-${AWS::Region}")
	key := cfn.GetAtt("Key", "Arn")
	return cfn.Template{
		Description: "aloft: the code, the releases and the key of all apps of this account in this region",
		Resources: map[string]cfn.Resource{
			"Key": {
				Type: "AWS::KMS::Key", DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain",
				Properties: map[string]any{"Description": "seals what aloft keeps", "EnableKeyRotation": true, "KeyPolicy": keyPolicy()},
			},
			"KeyAlias": {
				Type: "AWS::KMS::Alias", Properties: map[string]any{"AliasName": "alias/aloft", "TargetKeyId": cfn.Ref("Key")},
			},
			"Bucket": {
				Type: "AWS::S3::Bucket", DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain", Properties: bucketProperties(bucket, key),
			},
			"BucketPolicy": {
				Type: "AWS::S3::BucketPolicy", Properties: map[string]any{"Bucket": cfn.Ref("Bucket"), "PolicyDocument": encryptedOnly()},
			},
		},
		Outputs: map[string]cfn.Output{
			outputFormat: {Value: strconv.Itoa(accountFormat)},
			"Bucket":     {Value: cfn.Ref("Bucket")},
			"Key":        {Value: key},
		},
	}
}

func bucketProperties(name, key any) map[string]any {
	return map[string]any{
		"BucketName":              name,
		"Tags":                    []any{map[string]any{"Key": accountTag, "Value": accountTagged}},
		"VersioningConfiguration": map[string]any{"Status": "Enabled"},
		"OwnershipControls":       map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
		"PublicAccessBlockConfiguration": map[string]any{
			"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
		},
		"BucketEncryption": map[string]any{"ServerSideEncryptionConfiguration": []any{map[string]any{
			"BucketKeyEnabled": true, "ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
		}}},
		"LifecycleConfiguration": map[string]any{"Rules": []any{
			map[string]any{
				"Id": "abandoned-uploads", "Status": "Enabled",
				"AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": abandonedUploadDays},
			},
			map[string]any{
				"Id": "old-versions", "Status": "Enabled",
				"NoncurrentVersionExpiration": map[string]any{"NoncurrentDays": oldVersionDays},
			},
		}},
	}
}

// encryptedOnly refuses requests without TLS.
func encryptedOnly() map[string]any {
	return map[string]any{"Version": cfn.PolicyVersion, "Statement": []any{map[string]any{
		"Sid": "EncryptedOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
		"Resource":  []any{cfn.GetAtt("Bucket", "Arn"), cfn.Sub("${Bucket.Arn}/*")},
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}}}
}

// keyPolicy leaves it to IAM who may use the key, as KMS's own default does.
func keyPolicy() map[string]any {
	return map[string]any{"Version": cfn.PolicyVersion, "Statement": []any{map[string]any{
		"Sid": "Account", "Effect": "Allow", "Principal": map[string]any{"AWS": cfn.Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
		"Action": "kms:*", "Resource": "*",
	}}}
}

// EnsureAccount makes the account's stack in a region, or brings it up to date. Two who do it at once both succeed.
func (p *Platform) EnsureAccount(ctx context.Context, region string, report aloft.Reporter) error {
	p.mu.Lock()
	done := p.accounts[region]
	p.mu.Unlock()
	if done {
		return nil
	}
	if err := p.in(region).ensureAccount(ctx, report); err != nil {
		return err
	}
	p.mu.Lock()
	p.accounts[region] = true
	p.mu.Unlock()
	return nil
}

func (r *region) ensureAccount(ctx context.Context, report aloft.Reporter) error {
	for range maxRepairs {
		found, err := r.ready(ctx, accountStack(), report)
		if err != nil {
			return err
		}
		if found != nil && conditionOf(found.StackStatus) != inReview {
			format, _ := strconv.Atoi(outputOf(found, outputFormat)) // none is older than all
			if format >= accountFormat {
				r.protectAccount(ctx, found, report)
				return nil
			}
		}
		again, err := r.makeAccount(ctx, found, report)
		if err == nil && !again {
			r.protectAccount(ctx, found, report)
		}
		if err != nil || !again {
			return err
		}
	}
	return aloft.Errorf(aloft.Conflict, "others keep changing the stack %s in %s", AccountStack, r.name).WithHint("type the same command again in a minute")
}

// protectAccount keeps the account's stack, once it is whole, from being deleted by mistake. Deploys need nothing of that: what
// goes wrong is a warning. found is the stack as it was described before, nil: there was none.
func (r *region) protectAccount(ctx context.Context, found *types.Stack, report aloft.Reporter) {
	if found != nil && sdk.ToBool(found.EnableTerminationProtection) {
		return
	}
	if err := r.setProtected(ctx, AccountStack, true); err != nil && ctx.Err() == nil {
		report.Report(aloft.Warning{Text: fmt.Sprintf("%s: the stack %s can be deleted by mistake, its termination protection is off: %v", r.name, AccountStack, err)})
	}
}

func (r *region) setProtected(ctx context.Context, stack string, protected bool) error {
	_, err := r.stacks.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{StackName: &stack, EnableTerminationProtection: &protected})
	return r.Session.explain(err, "set the termination protection of the stack "+AccountStack+" in "+r.name)
}

// makeAccount creates or updates the account's stack. It reports true if somebody else was faster.
func (r *region) makeAccount(ctx context.Context, found *types.Stack, report aloft.Reporter) (again bool, err error) {
	template := AccountTemplate()
	if found == nil {
		report.Report(aloft.Notice{Text: fmt.Sprintf("%s: making the bucket and the key of the account %s (once)", r.name, r.Session.Account)})
		imported, err := r.adopt(ctx, nil, adoption{stack: AccountStack, template: template, report: report, tags: accountTags()})
		if err != nil || imported {
			return imported, err
		}
	}
	text, err := template.JSON()
	if err != nil {
		return false, err
	}
	if found != nil {
		c := change{stack: AccountStack, title: fmt.Sprintf("format%d", accountFormat), template: text, tags: accountTags()}
		return false, r.execute(ctx, found, c, report)
	}
	made, err := r.stacks.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: sdk.String(AccountStack), TemplateBody: sdk.String(string(text)), Tags: tags(accountTags()),
		ClientRequestToken: sdk.String(token("account")), // not protected before it is whole: what is left of a failure has to go
	})
	if is(err, "AlreadyExistsException") {
		return true, nil
	}
	if err != nil {
		return false, r.Session.explain(err, "make the stack "+AccountStack+" in "+r.name)
	}
	status, reason, err := r.follow(ctx, following{name: AccountStack, id: sdk.ToString(made.StackId), report: report})
	if err == nil && status != types.StackStatusCreateComplete {
		err = r.failure(change{stack: AccountStack}, status, reason)
	}
	return false, err
}

func accountTags() map[string]string { return map[string]string{accountTag: accountTagged} }
