"""What was worked out about a Space, in plain values, for `--show-facts`."""

from __future__ import annotations

from typing import Any

from hfcheck.source import Place
from hfcheck.space.image.image import Command
from hfcheck.space.model import Space
from hfcheck.space.settings.model import SettingsField
from hfcheck.space.value import Known, Value


def facts(space: Space) -> dict[str, Any]:
    """The facts of a Space as JSON-ready values; what is not known says why."""
    return {
        "card": {"status": space.card.status, "sdk": space.card.sdk},
        "app_port": space.card.app_port,
        **_image(space),
        "listen": space.launch.listen if space.launch else _no_image(space),
        "server": _server(space),
        "target": _target(space),
        "modules": [module.path for module in space.modules],
        "settings": [_field(f) for cls in space.settings.classes for f in cls.fields],
        "required": [read.name for read in space.required],
        "cors": _cors(space),
    }


def _no_image(space: Space) -> dict[str, Any]:
    reason = "there is no Dockerfile" if space.dockerfile is None else "the Dockerfile has no FROM"
    return {"known": False, "host": None, "port": None, "reason": reason, "via": []}


def _image(space: Space) -> dict[str, Any]:
    image = space.image
    if image is None or space.dockerfile is None:
        return {"stages": [], "entrypoint": None, "cmd": None}
    return {
        "stages": [
            _stage(stage.name, stage.index, stage.base) for stage in space.dockerfile.stages
        ],
        "base": image.base,
        "workdir": image.workdir,
        "user": _plain(image.user) if image.user is not None else None,
        "entrypoint": _command(image.entrypoint),
        "cmd": _command(image.cmd),
    }


def _stage(name: str | None, index: int, base: str | None) -> str:
    return f"{name or index}: {base or 'an earlier stage, or not known'}"


def _command(command: Command | None) -> dict[str, Any] | None:
    if command is None:
        return None
    return {
        "form": command.form,
        "words": [word.text for word in command.words],
        "at": _at(command.instruction.place),
    }


def _server(space: Space) -> str | None:
    public = space.launch.public if space.launch else None
    return public.server if public else None


def _target(space: Space) -> str | None:
    public = space.launch.public if space.launch else None
    return public.target.text if public and public.target else None


def _field(field: SettingsField) -> dict[str, Any]:
    return {
        "class": field.cls.name,
        "name": field.name,
        "environment": list(field.variables),
        "verdicts": {"unset": field.unset, "comma list": field.comma, "now": field.now},
        "library": field.cls.library,
        "at": _at(field.place),
    }


def _cors(space: Space) -> dict[str, Any]:
    web = space.web
    return {
        "app": _at(web.app.place) if web.app else None,
        "reason": web.reason or None,
        "setups": [_at(setup.place) for setup in web.setups],
        "origins": [entry.text for entry in web.allowed.entries],
        "complete": web.allowed.complete,
        "variables": list(web.variables),
    }


def _at(place: Place) -> str:
    position = place.source.position(place.span.start)
    return f"{place.source.path.name}:{position.line}"


def _plain(value: Value[str]) -> str | None:
    return value.value if isinstance(value, Known) else None
