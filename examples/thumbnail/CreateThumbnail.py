"""Makes a thumbnail of every picture that is put into the bucket of uploads below in/."""
import os
from urllib.parse import unquote_plus

import boto3

from shrink import shrink

s3 = boto3.client("s3")  # where it is, aloft says in the environment


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        picture = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        thumbnail, size = shrink(picture, 100)
        name = key.removeprefix("in/")
        s3.put_object(Bucket=os.environ["THUMBNAILS_BUCKET"], Key=name, Body=thumbnail, ContentType="image/png")
        print(f"{name}: {size[0]}x{size[1]}")
