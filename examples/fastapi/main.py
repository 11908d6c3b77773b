from datetime import datetime, timezone

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI(title="FastAPI on aloft")


class Greeting(BaseModel):
    message: str


@app.get("/")
async def index() -> Greeting:
    return Greeting(message="Hello from FastAPI")


@app.get("/hello/{name}")
async def hello(name: str) -> Greeting:
    return Greeting(message=f"Hello, {name}!")


@app.get("/api/time")
async def time() -> dict[str, datetime]:
    return {"time": datetime.now(timezone.utc)}
