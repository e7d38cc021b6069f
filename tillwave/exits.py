"""How commands end: an exit code that scripts can tell apart, and one sentence for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tillwave.codes import Exit

__all__ = ["Exit", "exit_on", "leave"]


def leave(code: Exit, sentence: str) -> typer.Exit:
    """Say a sentence on standard error and give the exception that ends the command."""
    typer.secho(f"tillwave: {sentence}", err=True, fg=typer.colors.RED)
    return typer.Exit(int(code))


@contextmanager
def exit_on(kinds: dict[type[Exception], Exit]) -> Iterator[None]:
    """End the command with the code of the first kind that an error is of."""
    try:
        yield
    except tuple(kinds) as error:
        code = next(code for kind, code in kinds.items() if isinstance(error, kind))
        raise leave(code, _sentence(error)) from error


def _sentence(error: Exception) -> str:
    """Write the operating system's errors without their number."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
