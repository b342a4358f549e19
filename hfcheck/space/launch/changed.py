"""The image as the start scripts have changed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hfcheck.source import SourceFile
from hfcheck.space.image.image import Image
from hfcheck.space.image.layers import Blurred, File, Layer, Layers, Link, Made, Put, Removed
from hfcheck.space.launch.process import Listener, Result
from hfcheck.space.shell.host import Blocks, Returns, Written
from hfcheck.space.value import Unknown


def changed(image: Image, files: Mapping[str, Written]) -> Image:
    """The image with what scripts made of its files, in their order."""
    layers = Layers(image.files)
    for path, written in files.items():
        for layer in _layers(path, written):
            layers.add(layer)
    return replace(image, files=layers.now)


def with_image(result: Result, image: Image) -> Result:
    """The result with the image that its servers see, where that is not told yet."""
    if not isinstance(result, (Blocks, Returns)):
        return result
    seen = tuple(
        replace(each, what=replace(each.what, image=image))
        if isinstance(each.what, Listener) and each.what.image is None
        else each
        for each in result.running
    )
    return replace(result, running=seen)


def _layers(path: str, written: Written) -> tuple[Layer, ...]:
    if written.kind == "dir":
        return (Made(path),)
    if written.kind == "gone":
        return (Removed(path),)
    if isinstance(written.text, Unknown):
        return (Blurred(path, written.text.reason),)
    if written.kind == "link":
        return (Put(path, Link(written.text.value)),)
    # The text of a new file stands in the script that writes it.
    text = written.source or SourceFile(written.place.source.path, written.text.value)
    mode = written.executable
    return (Put(path, File(None, text=text, original=written.source, executable=mode)),)
