"""Mixed precision: networks that are trained in 16 bits, with weights of 32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ._tensorflow import keras


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build the layers in such a block with Keras' policy of this name."""
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)  # of this thread alone
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)
