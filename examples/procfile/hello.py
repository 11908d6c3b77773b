"""The web process: a Falcon API."""

from datetime import datetime, timezone

import falcon


class Index:
    def on_get(self, req, resp):
        resp.media = {"message": "Hello from a Procfile"}


class Hello:
    def on_get(self, req, resp, name):
        resp.media = {"message": f"Hello, {name}!"}


class Time:
    def on_get(self, req, resp):
        resp.media = {"time": datetime.now(timezone.utc).isoformat()}


app = falcon.App()
app.add_route("/", Index())
app.add_route("/hello/{name}", Hello())
app.add_route("/api/time", Time())
