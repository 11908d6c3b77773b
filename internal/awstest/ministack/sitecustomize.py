"""Gives MiniStack health checks of Route 53 and tags of buckets in stacks, drift of the policies inside of roles, and its local
executor two things of Lambda that it leaves out, so that it
runs what aloft deploys: the bootstrap that a layer brings (/opt/bootstrap), and AWS_LAMBDA_EXEC_WRAPPER of managed runtimes, of
which the wrapper alone is run. Python runs this before any program; it does something only in MiniStack's own process."""
import os
import sys

if any(os.path.basename(word) == "ministack" for word in sys.orig_argv[:2]):
    os.environ.pop("PYTHONPATH", None)  # not for the functions that it starts
    os.environ.setdefault("AWS_ENDPOINT_URL", "http://127.0.0.1:" + os.environ["GATEWAY_PORT"])

    import io
    import threading
    import zipfile

    from ministack.core import lambda_runtime as runtime
    from ministack.services import lambda_svc as lambdas

    starting = threading.local()
    code_dir, spawn, dispatch = lambdas._provided_runtime_code_dir, runtime.ProvidedWorker._spawn, lambdas._execute_function_dispatch

    def code_dir_with_layers(code_zip):
        where = code_dir(code_zip)
        target = os.path.join(where, "bootstrap")
        with lambdas._provided_code_lock:
            if os.path.exists(target):
                return where
            for layer in getattr(starting, "layers", ()):
                with zipfile.ZipFile(io.BytesIO(lambdas._resolve_layer_zip(layer) or b"PK\5\6" + bytes(18))) as files:
                    if "bootstrap" in files.namelist():
                        with open(target + ".new", "wb") as out:
                            out.write(files.read("bootstrap"))
                        os.chmod(target + ".new", 0o755)
                        os.rename(target + ".new", target)
                        break
        return where

    def spawn_with_layers(self, *args, **kwargs):
        starting.layers = self.config.get("Layers") or ()
        try:
            return spawn(self, *args, **kwargs)
        finally:
            starting.layers = ()

    def dispatch_wrapped(func, config, event, request_id, started):
        variables = (config.get("Environment") or {}).get("Variables") or {}
        if variables.get("AWS_LAMBDA_EXEC_WRAPPER") == "/opt/bootstrap":
            config = {**config, "Runtime": "provided.al2023"}
            func = {**func, "config": config}
        return dispatch(func, config, event, request_id, started)

    lambdas._provided_runtime_code_dir = code_dir_with_layers
    runtime.ProvidedWorker._spawn = spawn_with_layers
    lambdas._execute_function_dispatch = dispatch_wrapped

    from ministack.services import route53
    from ministack.services.cloudformation import provisioners

    def create_health_check(logical_id, props, stack_name):
        made = route53._hc_id()
        route53._health_checks[made] = {"id": made, "caller_reference": made, "config": props["HealthCheckConfig"], "version": 1}
        return made, {"HealthCheckId": made}

    def delete_health_check(physical_id, props):
        route53._health_checks.pop(physical_id, None)

    provisioners._RESOURCE_HANDLERS.setdefault("AWS::Route53::HealthCheck", {"create": create_health_check, "delete": delete_health_check})

    # AWS gives buckets the tags of their stack, too, and those stay when the stack goes: MiniStack has no tags for them.
    from ministack.services import s3

    bucket = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create_bucket, update_bucket = bucket["create"], bucket["update"]

    def tag_bucket(made, props):
        s3._bucket_tags[made[0]] = provisioners._tag_map(props.get("Tags"))
        return made

    provisioners._STACK_TAG_PROPERTY["AWS::S3::Bucket"] = ("Tags", "list")
    bucket["create"] = lambda logical_id, props, stack_name: tag_bucket(create_bucket(logical_id, props, stack_name), props)
    bucket["update"] = lambda physical_id, old, new, stack_name: tag_bucket(update_bucket(physical_id, old, new, stack_name), new)

    import json
    import urllib.parse

    from ministack.services.cloudformation import drift
    from ministack.services import iam

    read_role, known = drift._DRIFT_READERS["AWS::IAM::Role"]

    def document(text):
        return json.loads(urllib.parse.unquote(text)) if isinstance(text, str) else text

    def read_role_and_policies(physical_id, props):
        role = read_role(physical_id, props)
        if role is not None:
            inline = iam._roles[physical_id]["InlinePolicies"]
            role["Policies"] = [{"PolicyName": name, "PolicyDocument": document(text)} for name, text in sorted(inline.items())]
        return role

    drift._DRIFT_READERS["AWS::IAM::Role"] = (read_role_and_policies, known | {"Policies"})
