"""GET /pictures/NAME?width=N: a picture that was uploaded, in any width."""
import base64
import os

import boto3

from shrink import shrink

s3 = boto3.client("s3")


def handler(event, context):
    try:
        width = int((event.get("queryStringParameters") or {}).get("width", "400"))
    except ValueError:
        width = 0
    if not 0 < width <= 2000:
        return {"statusCode": 400, "body": "width is a number from 1 to 2000\n"}
    try:
        found = s3.get_object(Bucket=os.environ["UPLOADS_BUCKET"], Key="in/" + event["pathParameters"]["name"])
    except s3.exceptions.NoSuchKey:
        return {"statusCode": 404, "body": "there is no such picture\n"}
    picture, _ = shrink(found["Body"].read(), width)
    return {
        "statusCode": 200,
        "headers": {"content-type": "image/png"},
        "body": base64.b64encode(picture).decode(),
        "isBase64Encoded": True,
    }
