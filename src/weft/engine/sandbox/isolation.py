"""Heavy steps in processes of their own, so that one that hangs, bursts or crashes costs its one call.

A small pool of sandboxes, started when they are first needed and used for many calls. A sandbox is killed, with all that
its step started, when its call outlives its time, is cancelled, or answers too much; another takes its place. So no
answer can ever be taken for that of another call.

| what the step does | the call ends with |
|---|---|
| runs longer than it may | `Fail` STEP_TIMEOUT |
| ends its process, or crashes it | `Fail` STEP_CRASHED, with the signal or exit code |
| takes more memory than it may, or is killed by the system | `Fail` STEP_OUT_OF_MEMORY |
| answers with more than it may | `Fail` STEP_OUTPUT_TOO_LARGE |
| answers with what is not JSON | `Fail` STEP_OUTPUT_NOT_JSON |
| is handed more than it may, or what is not JSON | `Fail` STEP_INPUT_TOO_LARGE, STEP_INPUT_NOT_JSON |

A start that fails is tried again after a pause that grows. Where none can be started, calls end with `Retry`
STEP_PROCESS_FAILED.

Not promised: limits on memory outside Linux, on all processes of one step together, and safety from code that means harm.
A sandbox guards against accidents, not against attackers: it has the worker's user and network.
"""

import asyncio
import weakref
from datetime import timedelta
from typing import Any

import structlog

from weft.domain.run import LogLevel
from weft.domain.step import Fail, Outcome, Output, StepContext, StepType
from weft.engine.context import ItemContext
from weft.engine.plan import PlannedStep
from weft.engine.sandbox.calls import cause_of_end, encoded_call
from weft.engine.sandbox.limits import cores_available
from weft.engine.sandbox.process import AnswerTooLargeError, SandboxBrokenError, SandboxEndedError, SandboxProcess
from weft.engine.sandbox.protocol import SandboxLimits, decode_outcome
from weft.engine.sandbox.starts import STARTS_PER_CALL, SandboxStarts
from weft.kit.json import dump_bytes

log = structlog.get_logger(__name__)

MEMORY_BYTES = 512 * 1024 * 1024
OUTPUT_BYTES = 16 * 1024 * 1024
FILE_BYTES = 256 * 1024 * 1024
DEFAULT_TIMEOUT = timedelta(seconds=60)

MOST_CALLS = 10_000
"""Then a sandbox is replaced: native libraries leak. Its start (about half a second) is then 0.05 ms a call."""


class Isolation:
    """Belongs to one event loop. `loader` names the function that gives the catalogue in the sandbox: `module:function`.

    As many `processes` as there are cores for this worker, unless told otherwise: what is heavy computes.
    """

    def __init__(
        self,
        loader: str,
        *,
        processes: int | None = None,
        memory_bytes: int = MEMORY_BYTES,
        output_bytes: int = OUTPUT_BYTES,
        file_bytes: int = FILE_BYTES,
        default_timeout: timedelta = DEFAULT_TIMEOUT,
        most_calls: int = MOST_CALLS,
    ) -> None:
        self._loader = loader
        self._processes = cores_available() if processes is None else processes
        self._limits = SandboxLimits(memory_bytes, output_bytes, file_bytes)
        self._default_timeout = default_timeout
        self._most_calls = most_calls
        self._free = asyncio.Semaphore(self._processes)  # who waits longest is first
        self._idle: list[SandboxProcess] = []
        self._calls: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._steps: weakref.WeakKeyDictionary[StepType[Any], bytes] = weakref.WeakKeyDictionary()
        self._starts = SandboxStarts()

    async def run(self, step: PlannedStep, ctx: StepContext, value: Any) -> Output:
        """Raises Skip, Retry and Fail. The step's time begins when it has a sandbox."""
        task = asyncio.current_task()
        if self._closed or task is None:
            raise asyncio.CancelledError("the worker stops")
        limit = step.timeout or self._default_timeout
        call = encoded_call(step, ctx, value, limit)
        self._calls.add(task)
        try:
            async with self._free:
                outcome = await self._ask(await self._sandbox(), step, ctx, call, limit)
        finally:
            self._calls.discard(task)
        if isinstance(outcome, Output):
            return outcome
        raise outcome

    async def close(self) -> None:
        """Ends every sandbox. A call that is still under way is cancelled: it has no outcome."""
        if self._closed:
            return
        self._closed = True
        for task in self._calls:
            task.cancel()
        for _ in range(self._processes):  # all of them: no call holds a sandbox any more
            await self._free.acquire()
        await asyncio.gather(*(sandbox.end() for sandbox in self._idle))
        self._idle.clear()

    @property
    def idle_pids(self) -> tuple[int, ...]:
        return tuple(sandbox.pid for sandbox in self._idle)

    async def _sandbox(self) -> SandboxProcess:
        while self._idle:
            sandbox = self._idle.pop()
            if sandbox.running:
                return sandbox
            await sandbox.end()  # the system may have killed it while it waited
        return await self._started(STARTS_PER_CALL)

    async def _started(self, starts: int) -> SandboxProcess:
        await self._starts.wait_out_the_pause()
        try:
            sandbox = await SandboxProcess.start(self._loader, self._limits)
        except SandboxBrokenError as error:
            refusal = self._starts.failed(str(error))
            if starts == 1:
                raise refusal from error
            return await self._started(starts - 1)
        self._starts.succeeded()
        return sandbox

    async def _ask(
        self, sandbox: SandboxProcess, step: PlannedStep, ctx: StepContext, call: bytes, limit: timedelta
    ) -> Outcome:
        reusable = False
        outcome: Outcome = Fail("The call was given up.")
        try:
            async with asyncio.timeout(limit.total_seconds()):
                answer = await sandbox.ask(self._encoded_step(step), call, lambda line: _log_line(ctx, line))
            outcome = decode_outcome(answer)
            reusable = not answer["retire"] and sandbox.calls < self._most_calls
        except TimeoutError:
            reason = f"The step did not answer within {limit.total_seconds():g} s, and was ended."
            outcome = Fail(reason, code="STEP_TIMEOUT")
        except AnswerTooLargeError:
            most = self._limits.output_bytes
            outcome = Fail(f"The step answers with more than {most:,} bytes of JSON.", code="STEP_OUTPUT_TOO_LARGE")
        except SandboxEndedError:
            outcome = cause_of_end(await sandbox.end(), limit, sandbox.printed.end)
        finally:
            _note_what_was_printed(sandbox, step, outcome)
            if reusable:
                self._idle.append(sandbox)
            else:
                await sandbox.end()
        return outcome

    def _encoded_step(self, step: PlannedStep) -> bytes:
        encoded = self._steps.get(step.type)
        if encoded is None:
            config = step.type.config.model_dump(mode="json", by_alias=True)
            encoded = self._steps[step.type] = dump_bytes({"kind": step.kind, "config": config})
        return encoded


def _log_line(ctx: StepContext, line: list[Any] | int) -> None:
    """Or how many more lines there were."""
    if not isinstance(line, int):
        level, message, fields = line
        ctx.log(LogLevel(level), message, **fields)
    elif isinstance(ctx, ItemContext):
        ctx.leave_out(line)


def _note_what_was_printed(sandbox: SandboxProcess, step: PlannedStep, outcome: Outcome) -> None:
    """For the operator, not for the run's log: it holds tracebacks and paths of this machine."""
    if printed := sandbox.printed.take():
        note = log.warning if isinstance(outcome, Fail) else log.debug
        note("What a heavy step printed", step=step.id, kind=step.kind, printed=printed)
