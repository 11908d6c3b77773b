from datetime import datetime, timezone

from flask import Flask, jsonify, render_template

app = Flask(__name__)


@app.get("/")
def index():
    return render_template("index.html")


@app.get("/hello/<name>")
def hello(name):
    return render_template("index.html", name=name)


@app.get("/api/time")
def time():
    return jsonify(time=datetime.now(timezone.utc).isoformat())
