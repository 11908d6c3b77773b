package standard_test

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/standard"
)

// endpoint serves all kinds at one address, as functions find them.
func endpoint(t *testing.T, visible resource.Visible) string {
	t.Helper()
	return limited(t, visible, 0)
}

// limited is endpoint where each owner may have so many bytes; 0 is the default.
func limited(t *testing.T, visible resource.Visible, most int64) string {
	t.Helper()
	all, err := standard.OpenResources(t.Context(), standard.ResourceOptions{Dir: t.TempDir(), Most: most, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(all.Set().Handler(visible))
	server.Config.Protocols = resource.Protocols()
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}

// client runs a program that finds the resources as a function does.
func client(t *testing.T, url, dir string, command ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ENDPOINT_URL_S3="+url, "AWS_ENDPOINT_URL_SQS="+url, "AWS_ENDPOINT_URL_SNS="+url, "AWS_ENDPOINT_URL_KINESIS="+url,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "no_proxy=*")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	return string(out)
}

// TestBoto3 runs AWS's SDK for Python, unmodified and without settings of its own.
func TestBoto3(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("boto3 is not installed: pip install boto3")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "use.py"), []byte(boto3Script), 0o600); err != nil {
		t.Fatal(err)
	}
	client(t, endpoint(t, resource.Visible{}), dir, "python3", "use.py")
}

const boto3Script = `
import boto3, io, json, os
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
s3.create_bucket(Bucket="pictures")
big = os.urandom(20 << 20)
s3.upload_fileobj(io.BytesIO(big), "pictures", "a/big", ExtraArgs={"ContentType": "image/png", "Metadata": {"by": "anna"}})
back = io.BytesIO()
s3.download_fileobj("pictures", "a/big", back)
assert back.getvalue() == big
head = s3.head_object(Bucket="pictures", Key="a/big")
assert head["ContentType"] == "image/png" and head["Metadata"] == {"by": "anna"}, head
for i in range(25): s3.put_object(Bucket="pictures", Key="k%02d +&ü" % i, Body=b"x")
keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="pictures", Prefix="k", PaginationConfig={"PageSize": 10}) for o in page["Contents"]]
assert keys == ["k%02d +&ü" % i for i in range(25)], keys
s3.delete_objects(Bucket="pictures", Delete={"Objects": [{"Key": k} for k in keys]})
assert s3.list_objects_v2(Bucket="pictures")["KeyCount"] == 1
try: s3.get_object(Bucket="pictures", Key="none"); assert False
except s3.exceptions.NoSuchKey: pass
import urllib.request
assert urllib.request.urlopen(s3.generate_presigned_url("get_object", Params={"Bucket": "pictures", "Key": "a/big"})).read() == big

sqs = boto3.client("sqs")
queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
sns = boto3.client("sns")
topic = sns.create_topic(Name="orders")["TopicArn"]
sub = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="FilterPolicy", AttributeValue=json.dumps({"kind": [{"prefix": "n"}]}))
for kind in ["old", "new"]:
    sns.publish(TopicArn=topic, Message=kind, MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}})
got = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
note = json.loads(got[0]["Body"])
assert len(got) == 1 and note["Message"] == "new" and note["TopicArn"] == topic, got
sqs.delete_message(QueueUrl=queue, ReceiptHandle=got[0]["ReceiptHandle"])
sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="RawMessageDelivery", AttributeValue="true")
sns.publish(TopicArn=topic, Message="raw", MessageAttributes={"kind": {"DataType": "String", "StringValue": "n2"}})
got = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"]
assert got[0]["Body"] == "raw" and got[0]["MessageAttributes"]["kind"]["StringValue"] == "n2", got
try: sqs.get_queue_url(QueueName="none"); assert False
except sqs.exceptions.QueueDoesNotExist: pass
assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1
sns.delete_topic(TopicArn=topic)

kinesis = boto3.client("kinesis")
kinesis.create_stream(StreamName="clicks", ShardCount=2)
kinesis.get_waiter("stream_exists").wait(StreamName="clicks")
kinesis.put_records(StreamName="clicks", Records=[{"Data": b"%d" % i, "PartitionKey": str(i)} for i in range(50)])
seen = set()
for shard in kinesis.list_shards(StreamName="clicks")["Shards"]:
    it = kinesis.get_shard_iterator(StreamName="clicks", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    seen |= {int(r["Data"]) for r in kinesis.get_records(ShardIterator=it)["Records"]}
assert seen == set(range(50)), seen
assert kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["OpenShardCount"] == 2
`

// TestCLI runs AWS's command line. Its first version does not know AWS_ENDPOINT_URL_SQS.
func TestCLI(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed: pip install awscli")
	}
	url, dir := endpoint(t, resource.Visible{}), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, 9<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	aws := func(args ...string) string {
		return client(t, url, dir, append([]string{"aws", "--endpoint-url", url, "--output", "text"}, args...)...)
	}
	aws("s3", "mb", "s3://pictures")
	aws("s3", "cp", "file", "s3://pictures/in/file")
	aws("s3", "sync", ".", "s3://pictures/sync/")
	aws("s3", "cp", "s3://pictures/in/file", "back")
	if back, err := os.Stat(filepath.Join(dir, "back")); err != nil || back.Size() != 9<<20 {
		t.Errorf("back came %v, %v", back, err)
	}
	aws("s3", "mv", "s3://pictures/in/file", "s3://pictures/out/file")
	aws("s3", "rb", "s3://pictures", "--force")
	aws("sqs", "create-queue", "--queue-name", "jobs")
	aws("sqs", "send-message", "--queue-url", url+"/000000000000/jobs", "--message-body", "hello")
	if out := aws("sqs", "receive-message", "--queue-url", url+"/000000000000/jobs", "--query", "Messages[0].Body"); out != "hello\n" {
		t.Errorf("received %q", out)
	}
	aws("sns", "create-topic", "--name", "orders")
	aws("kinesis", "create-stream", "--stream-name", "clicks", "--shard-count", "1")
	aws("kinesis", "put-record", "--stream-name", "clicks", "--partition-key", "a", "--data", "aGVsbG8=")
}

// TestJavaScript runs AWS's SDK for JavaScript, where somebody installed it.
func TestJavaScript(t *testing.T) {
	t.Parallel()
	modules := os.Getenv("ALOFT_TEST_AWS_SDK_JS")
	if modules == "" {
		t.Skip("set ALOFT_TEST_AWS_SDK_JS to a directory in which you ran: npm install @aws-sdk/client-s3 @aws-sdk/client-sqs @aws-sdk/client-sns @aws-sdk/client-kinesis")
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "use.mjs"), []byte(javaScript), 0o600); err != nil {
		t.Fatal(err)
	}
	client(t, endpoint(t, resource.Visible{}), dir, "node", "use.mjs")
}

const javaScript = `
import { S3Client, PutObjectCommand, GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { SQSClient, SendMessageCommand, ReceiveMessageCommand, CreateQueueCommand } from "@aws-sdk/client-sqs";
import { SNSClient, CreateTopicCommand, PublishCommand } from "@aws-sdk/client-sns";
import { KinesisClient, CreateStreamCommand, PutRecordCommand, ListShardsCommand, GetShardIteratorCommand, GetRecordsCommand } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import assert from "node:assert";
const s3 = new S3Client({});
await s3.send(new CreateBucketCommand({ Bucket: "js-pictures" }));
await s3.send(new PutObjectCommand({ Bucket: "js-pictures", Key: "a b/ü", Body: "hello", Metadata: { by: "anna" } }));
const got = await s3.send(new GetObjectCommand({ Bucket: "js-pictures", Key: "a b/ü" }));
assert.equal(await got.Body.transformToString(), "hello"); assert.deepEqual(got.Metadata, { by: "anna" });
await s3.send(new PutObjectCommand({ Bucket: "js-pictures", Key: "stream", Body: Readable.from([Buffer.alloc(100000, 1)]), ContentLength: 100000 }));
assert.equal((await (await s3.send(new GetObjectCommand({ Bucket: "js-pictures", Key: "stream" }))).Body.transformToByteArray()).length, 100000);
assert.equal((await s3.send(new ListObjectsV2Command({ Bucket: "js-pictures" }))).KeyCount, 2);
const sqs = new SQSClient({});
const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "js-jobs" }));
await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hi", MessageAttributes: { a: { DataType: "String", StringValue: "b" } } }));
assert.equal((await sqs.send(new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ["All"] }))).Messages[0].Body, "hi");
const sns = new SNSClient({});
const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "js-orders" }));
await sns.send(new PublishCommand({ TopicArn, Message: "x" }));
const k = new KinesisClient({});
await k.send(new CreateStreamCommand({ StreamName: "js-clicks", ShardCount: 1 }));
await k.send(new PutRecordCommand({ StreamName: "js-clicks", PartitionKey: "a", Data: Buffer.from("r") }));
const shard = (await k.send(new ListShardsCommand({ StreamName: "js-clicks" }))).Shards[0];
const { ShardIterator } = await k.send(new GetShardIteratorCommand({ StreamName: "js-clicks", ShardId: shard.ShardId, ShardIteratorType: "TRIM_HORIZON" }));
assert.equal(Buffer.from((await k.send(new GetRecordsCommand({ ShardIterator }))).Records[0].Data).toString(), "r");
`
