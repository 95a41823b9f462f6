"""What can go wrong in a call, and what the host is told of it.

Error                      gRPC code           message
-------------------------  ------------------  ------------------------------------------------------
`ConfigError`              INVALID_ARGUMENT    its own, with the attribute
`StageError`               UNKNOWN             its own; no traceback: it is meant for the user
`TransientError`           ABORTED             its own; the host tries the action again
a promise that is broken   INTERNAL            "the stage breaks the protocol: ..."
any other exception        INTERNAL            its type and message, and the line that raised it; the traceback is on
                                               standard error
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
import traceback

import grpc

# A message goes into a gRPC trailer, where there is room for about this many characters.
_MESSAGE_LIMIT = 8 << 10

# Files of this package, and what it runs stages with.
_OTHERS = (os.path.dirname(__file__) + os.sep, contextlib.__file__)


class StageError(Exception):
    """An error that a stage reports to the user: what, why and, best, what to do. Its message alone is shown."""


class TransientError(StageError):
    """A `StageError` that may pass, such as that of a device which was lost."""


class Cancelled(BaseException):
    """The host has given up on the call. It comes out of a yield's place as GeneratorExit, and out of `Call.progress`.

    It is no Exception, so that code which catches those cannot swallow it.
    """


class Key(str):
    """A key of a map, in a path that otherwise has names of attributes and indexes of lists."""


Path = tuple["str | int", ...]


class ConfigError(Exception):
    """A configuration that cannot be used, and the attribute that is wrong."""

    def __init__(self, message: str, path: Path = ()) -> None:
        self.message = message
        self.path = path
        super().__init__(f"attribute {_dotted(path)}: {message}" if path else f"configuration: {message}")


def _dotted(path: Path) -> str:
    out = ""
    for step in path:
        if isinstance(step, int):
            out += f"[{step}]"
        elif isinstance(step, Key):
            out += f'["{step}"]'
        else:
            out += f".{step}" if out else step
    return out


class Abort(Exception):
    """Ends a call with a status of the SDK's own choice."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        self.code = code
        super().__init__(message)


def broken(message: str) -> Abort:
    """The error of a stage that does not keep the protocol's promises."""
    return Abort(grpc.StatusCode.INTERNAL, f"the stage breaks the protocol: {message}")


def invalid(message: str) -> Abort:
    """The error of a request that is not as the protocol says."""
    return Abort(grpc.StatusCode.INVALID_ARGUMENT, message)


def status_of(error: BaseException, method: str) -> tuple[grpc.StatusCode, str]:
    """The status that tells the host of an error. What only the author can mend is printed with its traceback."""
    if isinstance(error, Abort):
        return error.code, clip(str(error))
    if isinstance(error, ConfigError):
        return grpc.StatusCode.INVALID_ARGUMENT, clip(str(error))
    if isinstance(error, TransientError):
        return grpc.StatusCode.ABORTED, clip(str(error))
    if isinstance(error, StageError):
        return grpc.StatusCode.UNKNOWN, clip(str(error))
    if isinstance(error, Cancelled):
        return grpc.StatusCode.CANCELLED, "the call was cancelled"
    print(f"exception in {method}:", file=sys.stderr)
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    if isinstance(error, UnicodeEncodeError):
        # protobuf says it where the text is put into a message, and leaves the word that people look for out.
        return grpc.StatusCode.INTERNAL, clip(f"a text is not valid UTF-8: {error}{_place(error)}")
    return grpc.StatusCode.INTERNAL, clip(f"{type(error).__name__}: {error}{_place(error)}")


def _place(error: BaseException) -> str:
    """The line of the author's that raised it, or that called what did."""
    frames = traceback.extract_tb(error.__traceback__)
    # The first frame that is not of these is the stage's: of its files, the innermost frame is meant.
    stage = next((f.filename for f in frames if not f.filename.startswith(_OTHERS)), "")
    if not stage:
        return ""
    at = [f for f in frames if pathlib.Path(f.filename).is_relative_to(pathlib.Path(stage).parent)][-1]
    return f" ({pathlib.Path(at.filename).name}, line {at.lineno}, in {at.name})"


def clip(message: str) -> str:
    """A message that fits a trailer, without what cannot be encoded."""
    if len(message) > _MESSAGE_LIMIT:
        message = message[:_MESSAGE_LIMIT] + "…"
    return message.encode("utf-8", "replace").decode("utf-8")
