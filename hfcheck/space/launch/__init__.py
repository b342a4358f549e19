"""From ENTRYPOINT and CMD to the process that listens.

`predict` and `Prediction` are the public side, for callers outside of hfcheck.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hfcheck.space.prediction import Prediction, predict

__all__ = ["Prediction", "predict"]


def __getattr__(name: str) -> object:
    """The public names, imported when they are asked for: they stand on the whole Space."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hfcheck.space import prediction

    return getattr(prediction, name)
