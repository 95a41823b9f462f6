"""What mlx raises, and what it means. mlx has no exceptions of its own: their texts are all there is to go by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jupiter_sdk as sdk
from jupiter_trainers.engine import OutOfMemory

# Of Metal: the allocator's two, a buffer over the device's limit, and a command buffer that found no room. Of processors:
# what the C++ library says.
_MEMORY = ("unable to allocate", "attempting to allocate", "insufficient memory", "out of memory", "bad_alloc")
# A command buffer that the system has ended: because of another program's error, or because it took too long.
_LOST = (
    "innocentvictim",
    "victim of gpu error",
    "gpu timeout",
    "gpu hang",
    "caused gpu",
    "access revoked",
    "device lost",
)


@contextmanager
def translated() -> Iterator[None]:
    """Raises OutOfMemory and TransientError in the place of mlx's own."""
    try:
        yield
    except MemoryError as e:
        raise OutOfMemory(str(e) or "no memory is left") from e
    except RuntimeError as e:
        text = str(e).lower()
        if any(t in text for t in _MEMORY):
            raise OutOfMemory(str(e)) from e
        if any(t in text for t in _LOST):
            raise sdk.TransientError(f"the device ended the work in its middle: {e}") from e
        raise
