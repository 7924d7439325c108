"""The process in which heavy steps run: `python -m weft.engine.sandbox.child <settings as JSON>`.

It loads the step types, then answers one call after the other until the worker closes the connection. It holds nothing
that matters: the worker may kill it at any moment, and starts another. What it prints goes to the worker, which keeps the
end of it.
"""

import sys
import traceback
from collections import OrderedDict
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

from pydantic import ValidationError

from weft.domain.catalogue import Catalogue
from weft.domain.errors import WeftError
from weft.domain.step import (
    Fail,
    Outcome,
    Output,
    Retry,
    Skip,
    StepSignal,
    StepType,
)
from weft.engine.sandbox.context import Connection, SandboxContext
from weft.engine.sandbox.limits import ProcessorTime, apply_limits, end_with_the_worker, resident_bytes
from weft.engine.sandbox.protocol import SandboxLimits, encode_outcome
from weft.engine.sandbox.scope import SandboxScope
from weft.kit.cel import CelEvaluationError
from weft.kit.json import dump_bytes, loads

STEPS_KEPT = 64
"""Prepared steps: those of the workflow versions that run at the moment, and a few more."""

REASON_LENGTH = 2_000
"""An exception may quote the whole document it failed on."""

_OUT_OF_MEMORY = dump_bytes(
    {
        **encode_outcome(Fail("The step needs more memory than it may use.", code="STEP_OUT_OF_MEMORY")),
        "retire": True,
    }
)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    loader: str
    """Where the catalogue comes from: `module:function`."""
    connection: int
    """The inherited file descriptor of our end."""
    path: tuple[str, ...]
    """Where the worker finds modules: the same step types are found here."""
    limits: SandboxLimits


class Sandbox:
    def __init__(self, catalogue: Catalogue, connection: Connection, limits: SandboxLimits) -> None:
        self._catalogue = catalogue
        self._connection = connection
        self._limits = limits
        self._processor_time = ProcessorTime()
        self._steps: OrderedDict[bytes, StepType[Any]] = OrderedDict()
        self._most_resident_bytes = resident_bytes() + limits.memory_bytes // 2

    def serve(self) -> None:
        while (step := self._connection.receive()) is not None and (call := self._connection.receive()) is not None:
            answer = self._answer(step, call)
            sys.stdout.flush()
            sys.stderr.flush()
            self._connection.send(answer)

    def _answer(self, step: bytes, call: bytes) -> bytes:
        try:
            return self._encoded(self._outcome(step, loads(call)))
        except MemoryError:
            pass  # left first, so that the frames that hold the memory are gone before anything else is made
        return _OUT_OF_MEMORY

    def _outcome(self, step: bytes, call: dict[str, Any]) -> Outcome:
        ctx = SandboxContext(self._connection, call)
        self._processor_time.allow(call["seconds"])
        try:
            value = call["input"] if "input" in call else call["values"]["input"]
            answer = self._prepared(step).run(ctx, value)
        except MemoryError:
            raise
        except BaseException as error:  # noqa: BLE001 - a step is a plugin: whatever it raises, SystemExit too, is its answer
            return outcome_of_error(error)
        finally:
            ctx.close()
        return answer if isinstance(answer, Output | Skip | Retry | Fail) else Output(answer)

    def _prepared(self, step: bytes) -> StepType[Any]:
        if (prepared := self._steps.get(step)) is None:
            named = loads(step)
            prepared = self._steps[step] = prepare(self._catalogue, named["kind"], named["config"])
            if len(self._steps) > STEPS_KEPT:
                self._steps.popitem(last=False)
        self._steps.move_to_end(step)
        return prepared

    def _encoded(self, outcome: Outcome) -> bytes:
        try:
            message = {**encode_outcome(outcome), "retire": resident_bytes() > self._most_resident_bytes}
            encoded = dump_bytes(message)
        except (TypeError, RecursionError) as error:  # orjson's own errors are TypeErrors
            return self._encoded(Fail(f"What the step answered is not JSON: {error}.", code="STEP_OUTPUT_NOT_JSON"))
        if len(encoded) <= self._limits.output_bytes:
            return encoded
        most = self._limits.output_bytes
        reason = f"The step answered with {len(encoded):,} bytes of JSON; at most {most:,} are allowed."
        return self._encoded(Fail(reason, code="STEP_OUTPUT_TOO_LARGE"))


def prepare(catalogue: Catalogue, kind: str, config: Any) -> StepType[Any]:
    found = catalogue.find(kind)
    if found is None:
        raise Fail(f"The process for heavy steps knows no step type {kind!r}.", code="STEP_TYPE_UNKNOWN")
    step_type, _ = found
    try:
        return step_type(step_type.Config.model_validate(config), SandboxScope())
    except (ValidationError, WeftError) as error:
        reason = f"The process for heavy steps cannot prepare a step of the type {kind!r}: {error}"
        raise Fail(reason[:REASON_LENGTH], code="STEP_NOT_PREPARED") from error


def outcome_of_error(error: BaseException) -> Outcome:
    match error:
        case Skip() | Retry() | Fail():
            return error
        case StepSignal():
            return Fail(str(error))
        case CelEvaluationError():
            return Fail(str(error), code="EXPRESSION_FAILED")
        case SystemExit():
            return Fail(f"The step tried to end its process: sys.exit({error.code!r:.100}).", code="STEP_CRASHED")
        case _:
            traceback.print_exception(error)  # to the worker, with what else the step printed
            return Fail(f"{type(error).__name__}: {error}"[:REASON_LENGTH], code="STEP_ERROR")


def load(loader: str) -> Catalogue:
    module, _, function = loader.partition(":")
    catalogue = getattr(import_module(module), function)()
    if not isinstance(catalogue, Catalogue):
        raise TypeError(f"{loader} gives no catalogue but {type(catalogue).__name__}")
    return catalogue


def main() -> NoReturn:
    raw = loads(sys.argv[1])
    settings = SandboxSettings(raw["loader"], raw["connection"], tuple(raw["path"]), SandboxLimits(**raw["limits"]))
    connection = Connection(settings.connection)
    end_with_the_worker()
    sys.path[:] = settings.path
    try:
        catalogue = load(settings.loader)
    except BaseException as error:  # noqa: BLE001 - whatever an import raises, the worker has to be told
        traceback.print_exception(error)
        connection.send(dump_bytes({"broken": f"{type(error).__name__}: {error}"[:REASON_LENGTH]}))
        sys.exit(1)
    apply_limits(settings.limits)
    sandbox = Sandbox(catalogue, connection, settings.limits)
    connection.send(dump_bytes({"ready": True}))
    sandbox.serve()
    sys.exit(0)


if __name__ == "__main__":
    main()
