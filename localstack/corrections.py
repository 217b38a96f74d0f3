"""What MiniStack does otherwise than AWS where Sluice relies on AWS: each function below corrects one fault, which its docstring names.

test/deployed/corrections.test.ts shows each of them on a deployed stack. Remove one when upstream has mended it.
"""
import hashlib
import inspect
import json
import os
import random
import threading
import time
from contextvars import ContextVar, copy_context

# The upstream functions that are wrapped or rewritten here, and the first 32 digits of the SHA-256 of their source: who changes it upstream is heard.
SOURCES = {
    "core.iam_actions:extract_iam_action": "ec476b92d969822b69c5b51b7c86cbc8",
    "core.iam_actions:_lambda_action": "19fa24ebca403b7afb7dbdd2de306589",
    "core.lambda_runtime:Worker._drain_stderr_bounded": "3fd7cc742872e604e4937310429a4021",
    "core.lambda_runtime:Worker.invoke": "96751a75471021ecc05362bd28031305",
    "core.lambda_runtime:execution_credentials": "cffaadc4f396f6e44a2490ca7e3e49fa",
    "services.dynamodb:_update_ttl": "e8243a4fbbb8997d50df7a01ceccf984",
    "services.lambda_svc:_execute_function_warm": "62b9218bef5b948a23c3269d6fb7260f",
    "services.lambda_svc:_run_sqs_batch": "f9bf630aabf3d1b9dba295fc9929df72",
    "services.lambda_svc:_sqs_esm_concurrency": "d3e9d1e865aa0b28e7873a2ec3d794ce",
    "services.sqs:_prune_dedup": "798b8a9933ba110742728888c3900b7b",
    "services.stepfunctions:_call_lambda": "25830369b12636da09a4e4650489842a",
    "services.stepfunctions:_execute_task": "53c818d247dba62c49b82c78ad185f18",
    "services.stepfunctions:_find_matching_retrier": "cb494ae8503cce39ee49c409d9c1946a",
    "services.stepfunctions:_invoke_with_callback": "bbb38423156a0d3d46c6fe1929264005",
}


def source_digest(name):
    module, _, path = name.partition(":")
    found = __import__(f"ministack.{module}", fromlist=["_"])
    for part in path.split("."):
        found = getattr(found, part)
    return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:32]


def changed_upstream():
    changed = []
    for name, digest in SOURCES.items():
        try:
            found = source_digest(name)
        except AttributeError:
            found = "gone"
        if found != digest:
            changed.append(f"{name}: {found}")
    return changed


def ttl_of_the_template():
    """CloudFormation drops TimeToLiveSpecification of tables, so that nothing ever expires."""
    from ministack.services import dynamodb
    from ministack.services.cloudformation import provisioners

    def with_ttl(create):
        def create_with_ttl(logical_id, props, stack):
            name, attributes = create(logical_id, props, stack)
            wanted = props.get("TimeToLiveSpecification")
            if wanted:
                enabled = str(wanted.get("Enabled", True)).lower() == "true"
                specification = {"AttributeName": wanted.get("AttributeName"), "Enabled": enabled}
                dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": specification})
            return name, attributes
        return create_with_ttl

    for kind in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        handler = provisioners._RESOURCE_HANDLERS[kind]
        handler["create"] = with_ttl(handler["create"])


def deduplication_cache():
    """SQS copies a queue's whole deduplication cache, five minutes of it, at every send. Now every five seconds."""
    from ministack.services import sqs

    prune, pruned_at = sqs._prune_dedup, {}

    def prune_seldom(queue):
        now = time.monotonic()
        if now - pruned_at.get(queue["url"], 0) >= 5:
            pruned_at[queue["url"]] = now
            prune(queue)
    sqs._prune_dedup = prune_seldom


def silent_invocations():
    """A handler that logs nothing is kept waiting 50 ms for its log lines."""
    from ministack.core import lambda_runtime

    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = (0.001, 0.001, 0.05)


FAILURE = "sluice:failure"


def errors_by_name():
    """A thrown error loses its name (always Runtime.HandlerError), so that no Catch or Retry by name matches; and its environment is killed."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    script = lambda_runtime._NODEJS_WORKER_SCRIPT
    for variable, said in (("err", "error: String(err.message || err), trace: err.stack || \"\""), ("e", "error: e.message, trace: e.stack")):
        written = f'status: "error", {said}'
        if script.count(written) != 1:
            raise SystemExit(f"corrections.py: the Node worker of MiniStack has no {written!r} any more")
        told = f'{{ errorType: ({variable} && {variable}.name) || "Error", errorMessage: String(({variable} && {variable}.message) || {variable}), ' \
            f'trace: String(({variable} && {variable}.stack) || "").split("\\n") }}'
        script = script.replace(written, f'status: "ok", result: {{ "{FAILURE}": {told} }}')
    lambda_runtime._NODEJS_WORKER_SCRIPT = script
    execute = lambda_svc._execute_function_warm

    def execute_telling_errors(func, event, request_id):
        result = execute(func, event, request_id)
        body = result.get("body")
        if not isinstance(body, dict) or FAILURE not in body:
            return result
        failure = body[FAILURE]
        log = "\n".join(filter(None, [result.get("log"), *failure["trace"]]))
        return {"error": True, "body": failure, "log": log}
    lambda_svc._execute_function_warm = execute_telling_errors


def groups_side_by_side():
    """A mapping of a FIFO queue runs one batch at a time; on AWS only the messages of one group wait for each other."""
    from ministack.services import lambda_svc

    concurrency = lambda_svc._sqs_esm_concurrency
    cap = int(os.environ.get("SLUICE_EMULATOR_CONCURRENCY") or "3")
    lambda_svc._sqs_esm_concurrency = lambda esm, func, config, queue=None: min(cap, concurrency(esm, func, config, None))


def failed_ids_checked():
    """An answer that names an unknown message deletes the batch; on AWS the whole batch counts as failed."""
    from ministack.services import lambda_svc

    execute, run_batch = lambda_svc._execute_function, lambda_svc._run_sqs_batch
    expected = ContextVar("expected ids of the batch", default=None)

    def execute_checking(func, event):
        result = execute(func, event)
        known, body = expected.get(), result.get("body")
        if known is None or result.get("error") or not isinstance(body, dict):
            return result
        failures = body.get("batchItemFailures") or []
        if all(isinstance(failure, dict) and failure.get("itemIdentifier") in known for failure in failures):
            return result
        return {"error": True, "body": {"errorType": "InvalidBatchResponse", "errorMessage": json.dumps(failures)[:500]}}

    def run_batch_checking(esm, func, event, batch, *rest):
        reports = "ReportBatchItemFailures" in (esm.get("FunctionResponseTypes") or [])
        before = expected.set({message["id"] for message in batch} if reports else None)
        try:
            return run_batch(esm, func, event, batch, *rest)
        finally:
            expected.reset(before)
    lambda_svc._execute_function, lambda_svc._run_sqs_batch = execute_checking, run_batch_checking


def tokens_and_heartbeats():
    """A task with a token waits for the function's return before it looks at the token, ignores that the function threw and that heartbeats stay
    away, and keeps its token when it is tried again, so that a late answer to the first try completes the second."""
    from ministack.services import stepfunctions

    call_lambda, with_callback, parameters = stepfunctions._call_lambda, stepfunctions._invoke_with_callback, stepfunctions._apply_parameters
    token_of_task = ContextVar("token of the task", default=None)

    def fail(token, error, cause):
        task = stepfunctions._task_tokens.get(token)
        if task and not task["event"].is_set():
            task["error"] = {"Error": error, "Cause": cause}
            task["event"].set()

    def call_lambda_beside(reference, event):
        token = token_of_task.get()
        if token is None:
            return call_lambda(reference, event)

        def call():
            token_of_task.set(None)
            try:
                call_lambda(reference, event)
            except stepfunctions._ExecutionError as error:
                fail(token, error.error, error.cause)
        threading.Thread(target=copy_context().run, args=(call,), daemon=True).start()
        return None

    def watch(token, seconds):
        last = time.monotonic()
        while token not in stepfunctions._task_tokens and time.monotonic() - last < seconds:
            time.sleep(0.01)
        while task := stepfunctions._task_tokens.get(token):
            if task["heartbeat"]:
                task["heartbeat"], last = None, time.monotonic()
            if time.monotonic() - last > seconds:
                return fail(token, "States.HeartbeatTimeout", f"no heartbeat for {seconds} seconds")
            time.sleep(0.02)

    def with_callback_watched(resource, data, token, state):
        before = token_of_task.set(token)
        seconds = state.get("HeartbeatSeconds")
        try:
            if seconds:
                threading.Thread(target=copy_context().run, args=(watch, token, seconds), daemon=True).start()
            return with_callback(resource, data, token, state)
        finally:
            token_of_task.reset(before)

    def parameters_with_new_token(state, data, context=None):
        retried = (context or {}).get("State", {}).get("RetryCount")
        if retried and ".waitForTaskToken" in str(state.get("Resource")):
            context["Task"] = {"Token": stepfunctions.new_uuid()}
        return parameters(state, data, context)

    stepfunctions._call_lambda = call_lambda_beside
    stepfunctions._invoke_with_callback = with_callback_watched
    stepfunctions._apply_parameters = parameters_with_new_token


def timeouts_by_path():
    """TimeoutSecondsPath and HeartbeatSecondsPath of a task are ignored."""
    from ministack.services import stepfunctions

    execute = stepfunctions._execute_task

    def execute_with_timeouts(state, data, execution, context):
        resolved = {
            name: stepfunctions._resolve_params_obj({"value.$": state[f"{name}Path"]}, data, context)["value"]
            for name in ("TimeoutSeconds", "HeartbeatSeconds") if f"{name}Path" in state
        }
        return execute({**state, **resolved} if resolved else state, data, execution, context)
    stepfunctions._execute_task = execute_with_timeouts


def pauses_between_retries():
    """MaxDelaySeconds and JitterStrategy of a Retry are ignored."""
    from ministack.services import stepfunctions

    find = stepfunctions._find_matching_retrier

    def find_with_pause(retriers, error, counts):
        retrier, index = find(retriers, error, counts)
        if retrier is None or not ({"MaxDelaySeconds", "JitterStrategy"} & retrier.keys()):
            return retrier, index
        growth = retrier.get("BackoffRate", 2.0) ** min(counts.get(index, 0), 64)
        pause = min(retrier.get("IntervalSeconds", 1) * growth, retrier.get("MaxDelaySeconds", float("inf")))
        if retrier.get("JitterStrategy") == "FULL":
            pause = random.uniform(0, pause)
        return {**retrier, "IntervalSeconds": pause, "BackoffRate": 1.0}, index
    stepfunctions._find_matching_retrier = find_with_pause


def batches_have_no_action():
    """With IAM enforced, a batch call of SQS is refused for want of sqs:SendMessageBatch and the like, which are no actions of IAM."""
    from ministack.core import iam_actions

    extract = iam_actions.extract_iam_action

    def extract_plain_action(service, *args, **kwargs):
        action = extract(service, *args, **kwargs)
        return action.removesuffix("Batch") if service == "sqs" and action else action
    iam_actions.extract_iam_action = extract_plain_action


def mappings_have_actions():
    """With IAM enforced, reading one event source mapping is asked as listing them, and changing one as nothing."""
    from ministack.core import iam_actions

    action_of = iam_actions._lambda_action
    one = {"GET": "GetEventSourceMapping", "PUT": "UpdateEventSourceMapping", "DELETE": "DeleteEventSourceMapping"}

    def action_of_mapping(method, path):
        parts = [part for part in path.split("/") if part]
        if "functions" not in parts and "event-source-mappings" in parts[:-1] and method in one:
            return one[method]
        return action_of(method, path)
    iam_actions._lambda_action = action_of_mapping


ALL = (
    ttl_of_the_template, deduplication_cache, silent_invocations, errors_by_name, groups_side_by_side, failed_ids_checked,
    tokens_and_heartbeats, timeouts_by_path, pauses_between_retries, batches_have_no_action,
    mappings_have_actions,
)


def apply():
    for correct in ALL:
        correct()
    return {correct.__name__: " ".join(correct.__doc__.split()) for correct in ALL}
