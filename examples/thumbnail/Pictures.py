"""The pages: what there is, PUT /pictures/NAME, GET /thumbnails/NAME."""
import base64
import html
import os
from urllib.parse import quote

import boto3

s3 = boto3.client("s3")
uploads, thumbnails = os.environ["UPLOADS_BUCKET"], os.environ["THUMBNAILS_BUCKET"]

PAGE = """<!doctype html><meta charset="utf-8"><title>Thumbnails</title>
<h1>Hello from thumbnails</h1>
<p><input type="file" accept="image/*" onchange="upload(this.files[0])"></p>
<p>{thumbnails}</p>
<script>
async function upload(file) {{
  await fetch("/pictures/" + encodeURIComponent(file.name), {{method: "PUT", body: file}})
  location.reload()
}}
</script>
"""


def home(event):
    names = [o["Key"] for o in s3.list_objects_v2(Bucket=thumbnails).get("Contents", [])]
    links = [f'<a href="/pictures/{quote(n, "")}"><img src="/thumbnails/{quote(n, "")}" alt="{html.escape(n)}"></a>' for n in names]
    return 200, {"content-type": "text/html; charset=utf-8"}, PAGE.format(thumbnails="\n".join(links) or "No pictures yet.").encode()


def put(event):
    body = event.get("body") or ""
    picture = base64.b64decode(body) if event["isBase64Encoded"] else body.encode()
    s3.put_object(Bucket=uploads, Key="in/" + event["pathParameters"]["name"], Body=picture)
    return 202, {}, b""


def thumbnail(event):
    try:
        found = s3.get_object(Bucket=thumbnails, Key=event["pathParameters"]["name"])
    except s3.exceptions.NoSuchKey:
        return 404, {}, b"there is no such thumbnail (yet)\n"
    return 200, {"content-type": found["ContentType"]}, found["Body"].read()


ROUTES = {"GET /{$}": home, "PUT /pictures/{name}": put, "GET /thumbnails/{name}": thumbnail}


def handler(event, context):
    status, headers, body = ROUTES[event["routeKey"]](event)
    return {"statusCode": status, "headers": headers, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
