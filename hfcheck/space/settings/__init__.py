"""Settings classes of pydantic-settings and pydantic 1: what the environment does to them."""

from hfcheck.space.settings.prediction import predict

__all__ = ["predict"]
