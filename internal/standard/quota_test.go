package standard_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft/internal/resource"
)

// TestQuotaBoto3: what there is no room for is refused with each service's own error, what is there can be read and deleted, and
// then there is room again.
func TestQuotaBoto3(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("boto3 is not installed: pip install boto3")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "use.py"), []byte(quotaScript), 0o600); err != nil {
		t.Fatal(err)
	}
	client(t, limited(t, resource.Visible{}, 1<<20), dir, "python3", "use.py")
}

const quotaScript = `
import boto3, time
from botocore.exceptions import ClientError

def refused(do):
    try: do()
    except ClientError as e: return e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]
    raise SystemExit("it was not refused")

def until(do):
    end = time.time() + 30
    while True:
        try: return do()
        except ClientError:
            if time.time() > end: raise
            time.sleep(0.1)

s3, sqs, sns, kinesis = (boto3.client(n) for n in ("s3", "sqs", "sns", "kinesis"))
s3.create_bucket(Bucket="pictures")
queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
topic = sns.create_topic(Name="orders")["TopicArn"]
kinesis.create_stream(StreamName="clicks", ShardCount=1)
full, part = b"x" * 1000000, b"y" * 100000
quota = ("QuotaExceeded", 507)
s3.put_object(Bucket="pictures", Key="a", Body=full)
assert refused(lambda: s3.put_object(Bucket="pictures", Key="b", Body=part)) == quota
assert refused(lambda: s3.put_object(Bucket="pictures", Key="b", Body=b"z" * (50 << 20))) == quota
assert refused(lambda: s3.copy_object(Bucket="pictures", Key="b", CopySource="pictures/a")) == quota
upload = s3.create_multipart_upload(Bucket="pictures", Key="m")["UploadId"]
assert refused(lambda: s3.upload_part(Bucket="pictures", Key="m", UploadId=upload, PartNumber=1, Body=part)) == quota
assert refused(lambda: s3.upload_part_copy(Bucket="pictures", Key="m", UploadId=upload, PartNumber=1, CopySource="pictures/a")) == quota
assert [o["Key"] for o in s3.list_objects_v2(Bucket="pictures")["Contents"]] == ["a"]
assert refused(lambda: sqs.send_message(QueueUrl=queue, MessageBody="x" * 100000)) == ("OverLimit", 400)
assert refused(lambda: sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "x" * 100000}])) == ("OverLimit", 400)
assert refused(lambda: sns.publish(TopicArn=topic, Message="x" * 100000)) == ("Throttled", 429)
assert refused(lambda: kinesis.put_record(StreamName="clicks", PartitionKey="a", Data=part)) == ("ProvisionedThroughputExceededException", 400)
assert s3.get_object(Bucket="pictures", Key="a")["Body"].read() == full
sqs.send_message(QueueUrl=queue, MessageBody="there is room for a small one")

s3.delete_object(Bucket="pictures", Key="a")
until(lambda: kinesis.put_record(StreamName="clicks", PartitionKey="a", Data=part))
for i in range(8): until(lambda: sqs.send_message(QueueUrl=queue, MessageBody="x" * 100000))
assert refused(lambda: s3.put_object(Bucket="pictures", Key="b", Body=b"z" * 300000)) == quota
sqs.purge_queue(QueueUrl=queue)
until(lambda: s3.put_object(Bucket="pictures", Key="b", Body=b"z" * 300000))
`
