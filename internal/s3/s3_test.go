package s3_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/appservicetest"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/s3"
)

// fake starts an S3 in this process and returns how to reach it.
func fake(t *testing.T) aws.Config {
	t.Helper()
	return serve(t, gofakes3.New(s3mem.New(), gofakes3.WithLogger(gofakes3.DiscardLog())))
}

// fakeAged is one in which everything was written an age ago, by its lists and, unless renewed, by its other answers.
func fakeAged(t *testing.T, age time.Duration, renewed bool) aws.Config {
	t.Helper()
	clock := gofakes3.FixedTimeSource(time.Now().Add(-age))
	backend := s3mem.New(s3mem.WithTimeSource(clock))
	options := []gofakes3.Option{gofakes3.WithLogger(gofakes3.DiscardLog()), gofakes3.WithTimeSkewLimit(0)}
	if !renewed {
		options = append(options, gofakes3.WithTimeSource(clock))
	}
	return serve(t, gofakes3.New(backend, options...))
}

func serve(t *testing.T, s *gofakes3.GoFakeS3) aws.Config {
	t.Helper()
	server := httptest.NewServer(&sealing{Handler: s.Server(), writes: map[string]int{}})
	t.Cleanup(server.Close)
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}
}

// makeBucket makes a bucket of a name that no other test has.
func makeBucket(t *testing.T, config aws.Config) *s3.Bucket {
	t.Helper()
	name := "aloft-" + aloft.NewID()
	client := awss3.NewFromConfig(config, func(o *awss3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &awss3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(config.Region)},
	}); err != nil {
		t.Fatal(err)
	}
	return s3.Open(config, name, "123456789012")
}

func TestStore(t *testing.T) {
	t.Parallel()
	appservicetest.Run(t, func(t *testing.T) aloft.AppService {
		t.Helper()
		return s3.NewStore(makeBucket(t, fake(t)), "ada@laptop (pid 1)")
	})
}

func TestStoreOnEmulator(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	appservicetest.Run(t, func(t *testing.T) aloft.AppService {
		t.Helper()
		return s3.NewStore(makeBucket(t, cloud.Config), "ada@laptop (pid 1)")
	})
}
