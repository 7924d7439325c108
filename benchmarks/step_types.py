"""Step types that only the benchmarks have, offered to the processes as a third party offers its own."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict, Field

from weft.domain.step import Call, StepCategory, StepContext, StepType
from weft.steps import StepConfig

ENTRY_POINTS = f"benchmark_wait = {__name__}:Wait\nbenchmark_serve = {__name__}:Serve"


class WaitConfig(StepConfig):
    model_config = ConfigDict(json_schema_extra={"examples": [{"seconds": 0.1}]})

    seconds: float = Field(gt=0, le=60, description="How long to wait.", examples=[0.1])


class Wait(StepType[WaitConfig]):
    kind = "benchmark_wait"
    title = "Wait"
    description = "Waits as long as a service elsewhere would take to answer, and costs nothing."
    category = StepCategory.PROCESSING
    Config = WaitConfig

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        await asyncio.sleep(self.config.seconds)
        return input


class ServeConfig(StepConfig):
    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class Serve(StepType[ServeConfig]):
    kind = "benchmark_serve"
    title = "Serve"
    description = "Gives many inputs back at a time: what the engine alone takes for a step that serves many."
    category = StepCategory.PROCESSING
    Config = ServeConfig

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        return [call.input for call in calls]
