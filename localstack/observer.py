"""Tells tests what the server saw: paths under /_sluice, answered before MiniStack looks at the request.

  GET    /_sluice/server     what runs here: versions, pid, corrections
  GET    /_sluice/requests   how many requests of each caller, service, operation and status, with their bytes; invocations of each function
  DELETE /_sluice/requests   the same, and counts anew
  GET    /_sluice/processes  the Node processes of functions: name, pid, busy

A caller is the name of a function, or the access key. Functions are told apart by the session token that MiniStack gives them.
Services are named as the meter names them, operations as the SDK does. What event sources and state machines do inside the server is no request; AWS bills its own polling otherwise.
"""
import hashlib
import json
import threading

SERVICES = {"states": "step-functions"}
METHODS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete", "HEAD": "Head", "POST": "Post"}
functions_by_token = {}
requests = {}
invocations = {}
lock = threading.Lock()


def install(about):
    count_requests()
    count_invocations()
    name_callers()
    answer_paths(about)


def count_requests():
    from ministack import app
    from ministack.core import iam_actions
    from ministack.core.router import extract_access_key_id

    dispatch, extract_action = app._dispatch_service_request, iam_actions.extract_iam_action

    def operation_of(service, method, path, headers, body, params):
        if service == "s3":
            return s3_operation(method, path, headers, params)
        target = headers.get("x-amz-target", "")
        if target:
            return target.rpartition(".")[2]
        action = extract_action(service, method, path, headers, body, params)
        return action.partition(":")[2] if action else f"{method} {path}"[:80]

    async def dispatch_counting(method, path, headers, body, query_params, request_id):
        answer = await dispatch(method, path, headers, body, query_params, request_id)
        params = app._routing_params(method, path, headers, body, query_params)
        service = app.detect_service(method, path, headers, params)
        token = headers.get("x-amz-security-token") or (params.get("X-Amz-Security-Token") or [""])[0]
        caller = functions_by_token.get(token) or extract_access_key_id(headers, params) or "anonymous"
        received = len(answer[2]) if isinstance(answer[2], (bytes, bytearray)) else 0
        operation = operation_of(service, method, path, headers, body, params)
        add(requests, (caller, SERVICES.get(service, service), operation, answer[0]), 1, len(body or b""), received)
        return answer
    app._dispatch_service_request = dispatch_counting


def s3_operation(method, path, headers, params):
    """The SDK for JavaScript names most operations itself (x-id); the rest by their form."""
    if params.get("x-id"):
        return params["x-id"][0]
    bucket, _, key = path.lstrip("/").partition("/")
    copied = "x-amz-copy-source" in headers
    if "uploadId" in params:
        return {"PUT": "UploadPartCopy" if copied else "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}.get(method, "ListParts")
    if method == "POST":
        return "CreateMultipartUpload" if "uploads" in params else "DeleteObjects" if "delete" in params else "PostObject"
    if key:
        return "CopyObject" if copied else f"{METHODS.get(method, method)}Object"
    if not bucket:
        return "ListBuckets"
    part = next((name for name in params if name in SUBRESOURCES), None)
    if part:
        return f"{METHODS.get(method, method)}{SUBRESOURCES[part]}"
    return {"GET": "ListObjectsV2" if "list-type" in params else "ListObjects", "PUT": "CreateBucket"}.get(method, f"{METHODS.get(method, method)}Bucket")


SUBRESOURCES = {
    "versioning": "BucketVersioning", "lifecycle": "BucketLifecycleConfiguration", "policy": "BucketPolicy", "encryption": "BucketEncryption",
    "location": "BucketLocation", "tagging": "BucketTagging", "publicAccessBlock": "PublicAccessBlock", "versions": "ObjectVersions", "uploads": "MultipartUploads",
}


def count_invocations():
    from ministack.services import lambda_svc

    execute = lambda_svc._execute_function_warm

    def execute_counting(func, event, request_id):
        result = execute(func, event, request_id)
        config = func.get("config") or func
        add(invocations, (config.get("FunctionName", "unknown"), "failed" if result.get("error") else "ok"), 1)
        return result
    lambda_svc._execute_function_warm = execute_counting


def name_callers():
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    credentials = lambda_runtime.execution_credentials

    def credentials_with_token(config):
        given, name = credentials(config), config.get("FunctionName", "unknown")
        # Without enforced IAM every function has the account's credentials, and no session token: any serves.
        token = given.get("AWS_SESSION_TOKEN") or hashlib.sha256(f"sluice:{name}".encode()).hexdigest()
        functions_by_token[token] = name
        return {**given, "AWS_SESSION_TOKEN": token}
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = credentials_with_token


def answer_paths(about):
    from ministack import app

    serve = app.app

    async def serve_with_paths(scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith("/_sluice/"):
            return await serve(scope, receive, send)
        status, body = answer(scope["method"], scope["path"], about)
        content = json.dumps(body).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})
    app.app = serve_with_paths


def answer(method, path, about):
    if (method, path) == ("GET", "/_sluice/server"):
        return 200, about
    if (method, path) == ("GET", "/_sluice/processes"):
        return 200, {"processes": processes()}
    if path == "/_sluice/requests" and method in ("GET", "DELETE"):
        return 200, counted(clear=method == "DELETE")
    return 404, {"error": f"no {method} {path} here"}


def add(counts, key, *amounts):
    with lock:
        counts[key] = tuple(a + b for a, b in zip(counts.get(key, (0,) * len(amounts)), amounts))


def counted(clear):
    with lock:
        seen = {
            "requests": [
                {"caller": caller, "service": service, "operation": operation, "status": status, "count": count, "sentBytes": sent, "receivedBytes": received}
                for (caller, service, operation, status), (count, sent, received) in sorted(requests.items())
            ],
            "invocations": [{"function": name, "outcome": outcome, "count": count} for (name, outcome), (count,) in sorted(invocations.items())],
        }
        if clear:
            requests.clear()
            invocations.clear()
    return seen


def processes():
    from ministack.core import lambda_runtime

    with lambda_runtime._lock:
        workers = [worker for pool in lambda_runtime._workers.values() for worker in pool]
    return [
        {"function": worker.func_name, "pid": process.pid, "busy": worker.in_use}
        for worker in workers if (process := getattr(worker, "_proc", None)) is not None and process.poll() is None
    ]
