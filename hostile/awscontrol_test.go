package hostile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// TestAWSFaultsAreSeen is the control: what a worse command would do to a stage, done by hand, is seen by each part of the
// harness.
func TestAWSFaultsAreSeen(t *testing.T) {
	t.Parallel()
	cloud, proxy := newAWSEmulator(t)
	s := newAWSShop(t, cloud, proxy, 1, 1)
	s.up()
	s.look()
	before := s.left()
	s.seed()
	after := strings.Join(s.left(), "\n")
	for _, want := range []string{"lock state/locks/shop/production.json", "log group /aws/lambda/left", "secret left", "upload artifacts/left.zip", "change set AVAILABLE of shop-production"} {
		if !strings.Contains(after, want) {
			t.Errorf("%q is not seen; before: %q\nafter:\n%s", want, before, after)
		}
	}
	if o := s.aloft(awsPlan{kind: denied, all: "DescribeStacks"}, "up", "production", "--force"); judge(awsPlan{kind: broken, at: 3}, o, "DescribeStacks") == "" {
		t.Errorf("a command without retries is not seen: status %d\n%s", o.status, o.said)
	}
	s.unlock()
	s.silence()
}

func (s *awsShop) config() aws.Config {
	config := s.cloud.Config.Copy()
	config.Region = s.regions[0]
	return config
}

// seed leaves things behind.
func (s *awsShop) seed() {
	s.t.Helper()
	config, ctx := s.config(), s.t.Context()
	bucket, name := aws.String("aloft-"+emulated+"-"+s.regions[0]), aws.String("left")
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("state/locks/" + s.app + "/production.json"), Body: strings.NewReader("{}")})
	must(err)
	_, err = objects.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("artifacts/left.zip")})
	must(err)
	_, err = cloudwatchlogs.NewFromConfig(config).CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/aws/lambda/left")})
	must(err)
	_, err = secretsmanager.NewFromConfig(config).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, SecretString: name})
	must(err)
	_, err = cloudformation.NewFromConfig(config).CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{
		StackName: aws.String(s.app + "-production"), ChangeSetName: name,
		TemplateBody: aws.String(`{"Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}}}`),
	})
	must(err)
}

var errStillAnswers = errors.New("it answers still")

// silence has the app not answer, as a stage does whose alias leads nowhere.
func (s *awsShop) silence() {
	s.t.Helper()
	stop := s.visitors(s.now)
	client, function := lambda.NewFromConfig(s.config()), aws.String(s.app+"-web")
	if _, err := client.DeleteAlias(s.t.Context(), &lambda.DeleteAliasInput{FunctionName: function, Name: aws.String("live")}); err != nil {
		s.t.Fatal(err)
	}
	aloftest.Eventually(s.t, time.Minute, func() error {
		if _, err := s.ask(); err == nil {
			return errStillAnswers
		}
		return nil
	})
	if asked, wrong := stop(); len(wrong) == 0 {
		s.t.Errorf("%d visitors saw nothing", asked)
	}
}
