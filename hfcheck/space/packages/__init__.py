"""What the build would install: which Python packages, and which versions of them."""

from hfcheck.space.packages.installed import Packages
from hfcheck.space.packages.reading import read_packages

__all__ = ["Packages", "read_packages"]
