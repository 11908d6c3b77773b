package hostile_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// leftovers looks through a region.
type leftovers struct {
	ctx         context.Context
	config      aws.Config
	app, bucket string
	found       []string
}

func (l *leftovers) add(kind string, name *string) {
	l.found = append(l.found, kind+" "+aws.ToString(name))
}

func (l *leftovers) stacks() error {
	client := cloudformation.NewFromConfig(l.config)
	out, err := client.DescribeStacks(l.ctx, &cloudformation.DescribeStacksInput{})
	if err != nil {
		return err
	}
	for _, stack := range out.Stacks {
		if stack.StackStatus == types.StackStatusDeleteComplete {
			continue
		}
		good := slices.Contains([]types.StackStatus{types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusImportComplete, types.StackStatusUpdateRollbackComplete}, stack.StackStatus)
		l.add(map[bool]string{true: "stack", false: "stack " + string(stack.StackStatus)}[good], stack.StackName)
		sets, err := client.ListChangeSets(l.ctx, &cloudformation.ListChangeSetsInput{StackName: stack.StackName})
		if err != nil {
			return err
		}
		last := time.Time{} // the newest that was executed: CloudFormation then deletes all others, the emulator does not
		for _, set := range sets.Summaries {
			if set.ExecutionStatus == types.ExecutionStatusExecuteComplete && set.CreationTime.After(last) {
				last = *set.CreationTime
			}
		}
		for _, set := range sets.Summaries {
			if set.CreationTime.After(last) {
				l.add("change set "+string(set.ExecutionStatus)+" of", stack.StackName)
			}
		}
	}
	return nil
}

func (l *leftovers) functions() error {
	out, err := lambda.NewFromConfig(l.config).ListFunctions(l.ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		return err
	}
	for _, f := range out.Functions {
		l.add("function", f.FunctionName)
	}
	return nil
}

func (l *leftovers) groups() error {
	out, err := cloudwatchlogs.NewFromConfig(l.config).DescribeLogGroups(l.ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		return err
	}
	for _, g := range out.LogGroups {
		l.add("log group", g.LogGroupName)
	}
	return nil
}

func (l *leftovers) secrets() error {
	out, err := secretsmanager.NewFromConfig(l.config).ListSecrets(l.ctx, &secretsmanager.ListSecretsInput{})
	if err != nil {
		return err
	}
	for _, secret := range out.SecretList {
		l.add("secret", secret.Name)
	}
	return nil
}

var roleName = regexp.MustCompile(`<RoleName>([^<]*)</RoleName>`)

// roles asks by hand: the SDK's client of IAM is large, and needed for nothing else.
func (l *leftovers) roles() error {
	const ask = "Action=ListRoles&Version=2010-05-08&MaxItems=1000"
	request, err := http.NewRequestWithContext(l.ctx, http.MethodPost, aws.ToString(l.config.BaseEndpoint), strings.NewReader(ask))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+emulated+"/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("list the roles: %s: %s", answer.Status, text)
	}
	for _, name := range roleName.FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(name[1], l.app+"-") {
			l.found = append(l.found, "role")
		}
	}
	return err
}

// objects finds locks, and uploads in parts that were never completed.
func (l *leftovers) objects() error {
	client := s3.NewFromConfig(l.config, func(o *s3.Options) { o.UsePathStyle = true })
	locks, err := client.ListObjectsV2(l.ctx, &s3.ListObjectsV2Input{Bucket: &l.bucket, Prefix: aws.String("state/locks/")})
	if err != nil {
		return err
	}
	for _, o := range locks.Contents {
		l.add("lock", o.Key)
	}
	uploads, err := client.ListMultipartUploads(l.ctx, &s3.ListMultipartUploadsInput{Bucket: &l.bucket})
	if err != nil {
		return err
	}
	for _, u := range uploads.Uploads {
		l.add("upload", u.Key)
	}
	return nil
}
