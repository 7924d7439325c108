"""Mutations: one input, and an answer that holds either the changed object or what the caller can put right."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import strawberry

from weft.domain.errors import CallerError, ErrorCode, Problem


@strawberry.type(description="Something in the input that has to be put right.")
class UserError:
    """A view over `domain.errors.Problem`."""

    code: ErrorCode = strawberry.field(description="What kind of mistake it is, for programs.")
    message: str = strawberry.field(description="What is wrong, in a sentence for people.")
    path: list[str] = strawberry.field(description="Where in the arguments it is: `input`, then fields and indexes.")
    hint: str | None = strawberry.field(description="How it might be put right.")
    line: int | None = strawberry.field(description="Line in the text at `path`, from 1.")
    column: int | None = strawberry.field(description="Column in that line, from 1.")


class Answer:
    """The value of a payload: its fields by name. A field that was not given is null."""

    def __init__(self, *, errors: tuple[Problem, ...] = (), **fields: Any) -> None:
        self.errors = errors
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


Resolver = Callable[..., Awaitable[Answer]]


def mutation(payload: type, *, description: str) -> Callable[[Resolver], Any]:
    """A mutation field of type `payload` over `async def verb(self, info: Info, input: SomeInput) -> Answer`."""

    def decorate(resolver: Resolver) -> Any:
        @functools.wraps(resolver)
        async def answer(*args: Any, **kwargs: Any) -> Answer:
            try:
                return await resolver(*args, **kwargs)
            except CallerError as error:
                return Answer(errors=tuple(problem.under("input") for problem in error.problems))

        return strawberry.mutation(answer, graphql_type=payload, description=description)

    return decorate
