"""Step types that misbehave in every way a heavy step can, and the means to call them."""
# ruff: noqa: ARG002 - `run(ctx, input)` is the contract of every step type, whatever of it a step uses

import ctypes
import gc
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from weft.domain.catalogue import Catalogue
from weft.domain.definition import OnFailure, RetryPolicy
from weft.domain.outside import Outside
from weft.domain.run import LogLevel
from weft.domain.step import (
    AnyStepType,
    Fail,
    Output,
    PublishEntity,
    Retry,
    Shape,
    Skip,
    StepCategory,
    StepContext,
    StepScope,
    StepType,
)
from weft.engine.plan import PlannedStep
from weft.engine.sandbox.scope import SandboxScope

MEGABYTE = 1024 * 1024


class NoConfig(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class GreetingConfig(NoConfig):
    first_word: str = "Hello"


class Heavy(StepType[NoConfig]):
    title = "For tests"
    description = "Does what its kind says."
    category = StepCategory.PROCESSING
    Config = NoConfig
    isolated = True


class Reverse(Heavy):
    kind = "reverse"

    def run(self, ctx: StepContext, input: Any) -> Any:
        return {"reversed": input["text"][::-1], "pid": os.getpid()}


class Greet(StepType[GreetingConfig]):
    kind = "greet"
    title = "Greet"
    description = "Uses its config, an expression and a template."
    category = StepCategory.PROCESSING
    Config = GreetingConfig
    isolated = True

    def prepare(self, scope: StepScope) -> None:
        self.prepared_in = os.getpid(), time.monotonic_ns()
        self.length = scope.expression("size(input.text) + steps.before.count", "length")
        self.greeting = scope.template(f"{self.config.first_word} {{{{ input.text }}}}", "first_word")

    def run(self, ctx: StepContext, input: Any) -> Any:
        return {
            "greeting": self.greeting.render(ctx.values),
            "length": self.length.evaluate(ctx.values),
            "prepared": list(self.prepared_in),
            "attempt": ctx.attempt,
            "key": ctx.idempotency_key,
        }


class Signals(Heavy):
    kind = "signals"

    def run(self, ctx: StepContext, input: Any) -> Any:
        match input["text"]:
            case "skip":
                raise Skip("nothing to do")
            case "retry":
                return Retry("busy", code="BUSY", after=timedelta(seconds=1.5))
            case "fail":
                raise Fail("wrong", code="WRONG", details={"line": 3})
            case "error":
                raise ValueError("no such page")
            case "http":
                return ctx.http
            case "set":
                return {1, 2}
            case _:
                return Output({"kind": "A"}, ("large",), (PublishEntity({"total": 1}, publish=False),))


class Logs(Heavy):
    kind = "logs"

    def run(self, ctx: StepContext, input: Any) -> Any:
        for number in range(input["lines"]):
            ctx.log(LogLevel.WARNING, f"line {number}", number=number)
        if input["crash"]:
            os.abort()


class Prints(Heavy):
    kind = "prints"

    def run(self, ctx: StepContext, input: Any) -> Any:
        for _ in range(input["megabytes"]):
            sys.stdout.write("x" * MEGABYTE)
            os.write(2, b"\x00\x00\x00\x05" * 1_000)
        return sys.stdin.read()


class LoopsForEver(Heavy):
    kind = "loops"

    def run(self, ctx: StepContext, input: Any) -> Any:
        while True:
            pass


class LoopsInNativeCode(Heavy):
    """Holds the interpreter's lock, so no other thread of the process runs."""

    kind = "loops_native"

    def run(self, ctx: StepContext, input: Any) -> Any:
        return re.match(r"(a+)+$", "a" * 64 + "b")


class AnswersWith(Heavy):
    kind = "answers"

    def run(self, ctx: StepContext, input: Any) -> Any:
        return "x" * input["bytes"]


class Floods(Heavy):
    """Writes an answer of its own into the conversation, behind the back of the sandbox."""

    kind = "floods"

    def run(self, ctx: StepContext, input: Any) -> Any:
        connection = next(one for one in gc.get_objects() if type(one).__name__ == "Connection")
        connection.send(b"x" * input["bytes"])


class Environment(Heavy):
    kind = "environment"

    def run(self, ctx: StepContext, input: Any) -> Any:
        return sorted(os.environ)


class Allocates(Heavy):
    kind = "allocates"

    def run(self, ctx: StepContext, input: Any) -> Any:
        kept = [bytearray(MEGABYTE) for _ in range(input["megabytes"])]
        return len(kept)


class Keeps(Heavy):
    kind = "keeps"
    kept: list[bytes] = []  # noqa: RUF012 - a leak is what it is for

    def run(self, ctx: StepContext, input: Any) -> Any:
        self.kept.append(b"x" * (input["megabytes"] * MEGABYTE))
        return os.getpid()


class Ends(Heavy):
    kind = "ends"

    def run(self, ctx: StepContext, input: Any) -> Any:
        match input["how"]:
            case "sys.exit":
                sys.exit(3)
            case "os._exit":
                os._exit(3)
            case "segfault":
                ctypes.string_at(0)
            case how:
                os.kill(os.getpid(), int(how))


class WritesFile(Heavy):
    kind = "writes"

    def run(self, ctx: StepContext, input: Any) -> Any:
        with open(input["path"], "wb") as file:  # noqa: PTH123 - as step code does
            file.write(b"x" * input["bytes"])


class StartsProcess(Heavy):
    """Starts a process that would run on, notes both pids, and waits."""

    kind = "starts"

    def run(self, ctx: StepContext, input: Any) -> Any:
        process = subprocess.Popen(["sleep", "1000"])
        with open(input["path"], "w") as file:  # noqa: PTH123 - as step code does
            file.write(f"{os.getpid()} {process.pid}\n")
        time.sleep(input["seconds"])


def catalogue() -> Catalogue:
    here: list[AnyStepType] = [Greet, *Heavy.__subclasses__()]
    return Catalogue(here)


def crashing_catalogue() -> Catalogue:
    os._exit(7)


def planned(kind: str, timeout: timedelta | None = None, **config: Any) -> PlannedStep:
    found = catalogue().find(kind)
    assert found is not None
    step_type = found[0]
    return PlannedStep(
        index=0,
        id=f"a_{kind}",
        kind=kind,
        type=step_type(step_type.Config.model_validate(config), SandboxScope()),
        shape=Shape.HEAVY,
        edges=(),
        when=None,
        retry=RetryPolicy(),
        timeout=timeout,
        on_failure=OnFailure.FAIL_ITEM,
        fingerprint=kind,
    )


@dataclass
class Context(StepContext):
    values: Mapping[str, Any]
    attempt: int = 1
    lines: list[tuple[LogLevel, str, dict[str, Any]]] = field(
        default_factory=list[tuple[LogLevel, str, dict[str, Any]]]
    )

    @property
    def idempotency_key(self) -> str:
        return "run:0:step"

    @property
    def outside(self) -> Outside:
        raise NotImplementedError

    def log(self, level: LogLevel, message: str, **fields: Any) -> None:
        self.lines.append((level, message, fields))
