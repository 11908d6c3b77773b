"""The Lambda runtime for Python: it asks the Runtime API for events and calls a handler with each."""
import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

BASE = "/2018-06-01/runtime/"


class Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None

    def __init__(self, text):
        if text:
            known = json.loads(text)
            self.cognito_identity_id = known.get("cognitoIdentityId")
            self.cognito_identity_pool_id = known.get("cognitoIdentityPoolId")


class Client:
    def __init__(self, known):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, known.get(name))


class ClientContext:
    def __init__(self, text):
        known = json.loads(text)
        self.custom, self.env = known.get("custom"), known.get("env")
        self.client = Client(known["client"]) if known.get("client") else None


class Context:
    def __init__(self, headers):
        self._deadline = int(headers["lambda-runtime-deadline-ms"])
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = Identity(headers.get("lambda-runtime-cognito-identity"))
        text = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(text) if text else None

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, text):
        sys.stdout.write(str(text))


class API:
    """A connection to the Runtime API. Requests may be sent before the answers to earlier ones are read."""

    def __init__(self):
        self.host = os.environ["AWS_LAMBDA_RUNTIME_API"]
        host, port = self.host.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next = ("GET %sinvocation/next HTTP/1.1\r\nHost: %s\r\n\r\n" % (BASE, self.host)).encode()
        self.ahead = b""

    def post(self, path, body, header=""):
        head = "POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
        return (head % (BASE, path, self.host, len(body), header)).encode() + body

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            sys.exit(0)
        return data

    def answer(self):
        """Reads an answer: its status, its headers by lower-case name, its body."""
        data = self.ahead
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.more()
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        start = end + 4
        end = start + int(headers["content-length"])
        if len(data) < end:
            parts, size = [data], len(data)
            while size < end:
                parts.append(self.more())
                size += len(parts[-1])
            data = b"".join(parts)
        self.ahead = data[end:]
        return int(first.split(" ", 2)[1]), headers, data[start:end]

    def failure(self, path, kind, message, trace, request_id=None):
        """Prints an error and returns the request that tells of it."""
        what = {"errorMessage": message, "errorType": kind, "stackTrace": trace}
        if request_id:
            what["requestId"] = request_id
        print("[ERROR] %s: %s\nTraceback (most recent call last):\n%s" % (kind, message, "".join(trace).rstrip()), flush=True)
        return self.post(path, json.dumps(what).encode(), "Lambda-Runtime-Function-Error-Type: %s\r\n" % "".join(kind.split()))


class Formatter(logging.Formatter):
    converter = time.gmtime
    request_id = ""

    def format(self, record):
        record.aws_request_id = Formatter.request_id
        return super().format(record)


def serialise(value):
    if type(value).__name__ == "Decimal":
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def load():
    name = os.environ["_HANDLER"]
    root = os.environ["LAMBDA_TASK_ROOT"]
    module, dot, function = name.rpartition(".")
    if not dot:
        raise Failure("Runtime.MalformedHandlerName", "Bad handler '%s': it is MODULE.FUNCTION" % name)
    sys.path[:0] = [root] + layers()
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        raise Failure("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module, error))
    except SyntaxError as error:
        raise Failure("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module, error))
    try:
        return getattr(loaded, function)
    except AttributeError:
        raise Failure("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function, module))


def layers():
    """The directories in which layers have modules: those for the runtime, for this interpreter, and for any."""
    opt = os.environ.get("ALOFT_LAYERS")
    if not opt:
        return []
    runtime = os.environ.get("AWS_EXECUTION_ENV", "").replace("AWS_Lambda_", "")
    names = dict.fromkeys([runtime, "python%d.%d" % sys.version_info[:2]])
    places = ["python/lib/%s/site-packages" % name for name in names if name] + ["python"]
    return [place for place in (os.path.join(opt, p) for p in places) if os.path.isdir(place)]


class Failure(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def trace_of(error):
    entries = traceback.extract_tb(error.__traceback__)
    return [t for t in traceback.format_list(entries) if __file__ not in t]


def main():
    api = API()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"))
    logging.getLogger().addHandler(handler)
    try:
        function = load()
    except BaseException as error:
        api.send(api.failure("init/error", getattr(error, "kind", type(error).__name__), str(error), trace_of(error)))
        api.answer()
        sys.exit(1)
    api.send(api.next)
    while True:
        status, headers, event = api.answer()
        if status != 200:
            return
        request_id = Formatter.request_id = headers["lambda-runtime-aws-request-id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        # One write tells the result and asks for more work.
        api.send(outcome(api, function, event, headers, request_id) + api.next)
        api.answer()


def outcome(api, function, event, headers, request_id):
    """Calls the function and returns the request that tells what came of it."""
    at = "invocation/" + request_id
    try:
        result = function(json.loads(event or "null"), Context(headers))
    except Exception as error:
        return api.failure(at + "/error", type(error).__name__, str(error), trace_of(error), request_id)
    try:
        body = json.dumps(result, default=serialise, ensure_ascii=False).encode()
    except Exception as error:
        return api.failure(at + "/error", "Runtime.MarshalError", "Unable to marshal response: %s" % error, [], request_id)
    return api.post(at + "/response", body)


if __name__ == "__main__":
    main()
