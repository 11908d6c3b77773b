"""An haproxy.cfg from a JSON array of backends: POST /generate."""
import json
import re
from dataclasses import dataclass


class Bad(ValueError):
    pass


@dataclass
class Server:
    name: str
    address: str
    port: int

    @classmethod
    def read(cls, at, raw):
        if not isinstance(raw, dict):
            raise Bad(f"{at}: expected an object with name, address and port")
        for field in raw.keys() - {"name", "address", "port"}:
            raise Bad(f"{at}.{field}: unknown field")
        name, address, port = raw.get("name"), raw.get("address"), raw.get("port", 80)
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
            raise Bad(f"{at}.name: expected letters, digits, dashes and underscores")
        if not isinstance(address, str) or not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", address):
            raise Bad(f"{at}.address: expected an address or a host name")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise Bad(f"{at}.port: expected a number from 1 to 65535")
        return cls(name, address, port)


def render(servers):
    lines = ["frontend web", "    bind *:80", "    default_backend servers", "", "backend servers", "    balance roundrobin"]
    lines += [f"    server {s.name} {s.address}:{s.port} check" for s in servers]
    return "\n".join(lines) + "\n"


EXAMPLE = [Server("one", "10.0.0.1", 8080), Server("two", "10.0.0.2", 8080)]


def text(status, body):
    return {"statusCode": status, "headers": {"content-type": "text/plain; charset=utf-8"}, "body": body}


def handler(event, context):
    if event["requestContext"]["http"]["method"] == "GET":
        return text(200, render(EXAMPLE))
    try:
        raw = json.loads(event.get("body") or "null")
        if not isinstance(raw, list) or not raw:
            raise Bad("expected a JSON array of servers")
        servers = [Server.read(f"[{i}]", item) for i, item in enumerate(raw)]
        if len({s.name for s in servers}) < len(servers):
            raise Bad("two servers have one name")
    except json.JSONDecodeError as error:
        return text(400, f"the body is no JSON: {error}\n")
    except Bad as error:
        return text(422, f"{error}\n")
    return text(200, render(servers))


def home(event, context):
    return text(200, "Hello from handlers: POST a JSON array of servers to /generate\n")
