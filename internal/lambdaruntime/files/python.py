"""The Lambda runtime for Python: it asks the Runtime API for events and calls a handler with each."""
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from decimal import Decimal

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
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = Identity(headers["Lambda-Runtime-Cognito-Identity"])
        text = headers["Lambda-Runtime-Client-Context"]
        self.client_context = ClientContext(text) if text else None

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, text):
        sys.stdout.write(str(text))


class API:
    def __init__(self):
        host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
        self.connection = http.client.HTTPConnection(host, int(port))

    def call(self, method, path, body=None, headers={}):
        self.connection.request(method, BASE + path, body, headers)
        response = self.connection.getresponse()
        return response, response.read()

    def fail(self, path, kind, message, trace, request_id=None):
        what = {"errorMessage": message, "errorType": kind, "stackTrace": trace}
        if request_id:
            what["requestId"] = request_id
        print("[ERROR] %s: %s\nTraceback (most recent call last):\n%s" % (kind, message, "".join(trace).rstrip()), flush=True)
        self.call("POST", path, json.dumps(what).encode(), {"Lambda-Runtime-Function-Error-Type": kind, "Content-Type": "application/json"})


class Formatter(logging.Formatter):
    converter = time.gmtime
    request_id = ""

    def format(self, record):
        record.aws_request_id = Formatter.request_id
        return super().format(record)


def serialise(value):
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def load():
    name = os.environ["_HANDLER"]
    root = os.environ["LAMBDA_TASK_ROOT"]
    module, dot, function = name.rpartition(".")
    if not dot:
        raise Failure("Runtime.MalformedHandlerName", "Bad handler '%s': it is MODULE.FUNCTION" % name)
    sys.path.insert(0, root)
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
        api.fail("init/error", getattr(error, "kind", type(error).__name__), str(error), trace_of(error))
        sys.exit(1)
    while True:
        response, event = api.call("GET", "invocation/next")
        if response.status != 200:
            return
        request_id = Formatter.request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = response.headers["Lambda-Runtime-Trace-Id"] or ""
        at = "invocation/" + request_id
        try:
            result = function(json.loads(event or "null"), Context(response.headers))
        except Exception as error:
            api.fail(at + "/error", type(error).__name__, str(error), trace_of(error), request_id)
            continue
        try:
            body = json.dumps(result, default=serialise, ensure_ascii=False).encode()
        except Exception as error:
            api.fail(at + "/error", "Runtime.MarshalError", "Unable to marshal response: %s" % error, [], request_id)
            continue
        api.call("POST", at + "/response", body, {"Content-Type": "application/json"})


if __name__ == "__main__":
    main()
