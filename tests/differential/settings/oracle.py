"""Builds settings classes with the real library and tells what happened.

Run by the Python of an environment that has it, never imported: reads one JSON object a line
(`source`, `name`, `env`, `files`, `init`, `secrets`) and writes one outcome a line. An outcome has
the `kind` of what the build ends with; `errors` holds the verdicts of the fields that fail, and
`untold` the names of fields of which that is not known.

The library stops at the first field whose text is no JSON. To learn of the others the class is
built again, without the variables of that field.
"""

import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
import types
import warnings

warnings.simplefilter("ignore")

REPEATS = 12


def outcome(case):
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(case["env"])
    for name, text in case["files"].items():
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    if case["secrets"] is not None:
        os.mkdir("secrets")
        for name, value in case["secrets"].items():
            with open(os.path.join("secrets", name), "w", encoding="utf-8") as file:
                file.write(value)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return run(case)
    finally:
        os.chdir("/")
        shutil.rmtree(folder)


def run(case):
    module = types.ModuleType("case_module")
    for name in ("pydantic.class_validators", "pydantic.v1.class_validators"):
        seen = getattr(sys.modules.get(name), "_FUNCS", None)
        if seen is not None:
            seen.clear()  # pydantic 1 refuses two validators of one name
    sys.modules["case_module"] = module
    module.__file__ = os.path.abspath("case_module.py")
    try:
        exec(compile(case["source"], module.__file__, "exec"), module.__dict__)
    except BaseException as error:
        # a module that builds its settings at once fails like the build below
        if not isinstance(module.__dict__.get(case["name"]), type):
            kind = "import error" if isinstance(error, ImportError) else "class error"
            return {"kind": kind, "text": repr(error)[:200]}
    os.environ.clear()
    os.environ.update(case["env"])
    cls = module.__dict__[case["name"]]
    fields = Fields(cls)
    broken = {}
    for _ in range(REPEATS):
        found = built(cls, case["init"] or {}, fields)
        if found["kind"] != "settings error" or found["field"] not in fields.names.values():
            break
        broken[found["field"]] = "settings error"
        if not fields.forget(found["field"], case["init"] or {}):
            return {"kind": "settings error", "errors": broken, "rest": False}
    if broken:
        rest = found["kind"] in ("ok", "validation error")
        errors = {k: v for k, v in found.get("errors", {}).items() if k not in fields.gone}
        return {
            "kind": "settings error",
            "errors": {**errors, **broken},
            "rest": rest,
            "untold": sorted(fields.gone - set(broken)),
        }
    return found


def built(cls, init, fields):
    try:
        cls(**init)
    except BaseException as error:
        found = failure(error, fields)
        inner = getattr(error, "title", None) or getattr(error, "model", cls).__name__
        if found["kind"] == "validation error" and inner != cls.__name__:
            found["rest"] = False  # of other settings, which a default builds
        return found
    return {"kind": "ok"}


class Fields:
    """The names of a class's fields: as errors name them, and as variables do."""

    def __init__(self, cls):
        self.names, self.paths, self.variables, self.gone = {}, set(), {}, set()
        own = getattr(cls, "model_fields", None) or getattr(cls, "__fields__", {})
        self.names.update((name, name) for name in own)
        for name, field in own.items():
            self.variables[name] = {name}
            for alias in _aliases(field):
                self.names.setdefault(alias, name)
                self.variables[name].add(alias)
            extra = getattr(getattr(field, "field_info", None), "extra", {})
            for variable in extra.get("env_names", ()):
                self.names.setdefault(variable, name)
                self.variables[name].add(variable)
            given = getattr(field, "validation_alias", None)
            for choice in getattr(given, "choices", None) or [given]:
                self.paths.add(tuple(getattr(choice, "path", ())))
        config = getattr(cls, "model_config", None)
        if config is None:
            config = vars(getattr(cls, "__config__", object))
        self.prefix = (config.get("env_prefix") or "").lower()
        self.delimiter = (config.get("env_nested_delimiter") or "").lower()

    def forget(self, name, init):
        """Take away the variables of a field (and what they share with others); False if none."""
        wanted = set()
        for variable in self.variables[name]:
            wanted |= {variable.lower(), self.prefix + variable.lower()}
        patterns = [re.escape(item) + "$" for item in wanted]
        if self.delimiter:
            patterns += [re.escape(item + self.delimiter) for item in wanted]
        mine = re.compile("|".join(patterns))
        taken = [variable for variable in os.environ if mine.match(variable.lower())]
        for variable in taken:
            del os.environ[variable]
        for path in (".env", ".env.local"):
            taken += _without(path, mine)
        for file in os.listdir("secrets") if os.path.isdir("secrets") else ():
            if mine.match(file.lower()):
                os.remove(os.path.join("secrets", file))
                taken.append(file)
        self.gone.add(name)
        for other, variables in self.variables.items():
            own = {v.lower() for v in variables} | {self.prefix + v.lower() for v in variables}
            starts = tuple(item + self.delimiter for item in own)
            for variable in taken:
                low = variable.lower()
                if low in own or (self.delimiter and low.startswith(starts)):
                    self.gone.add(other)
        return bool(taken)


def _without(path, pattern):
    """Take the lines of matching variables out of a .env file."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    taken, kept = [], []
    for line in lines:
        name = re.match(r"\s*(?:export\s+)?([\w.]*)", line)[1]
        if name and pattern.match(name.lower()):
            taken.append(name)
        else:
            kept.append(line)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(kept) + "\n")
    return taken


def _aliases(field):
    found = [getattr(field, "alias", None)]
    given = getattr(field, "validation_alias", None)
    for choice in getattr(given, "choices", None) or [given]:
        found.append(choice if isinstance(choice, str) else getattr(choice, "path", [None])[0])
    return [alias for alias in found if isinstance(alias, str)]


def failure(error, fields):
    kind = type(error).__name__
    if kind == "SettingsError":
        named = str(error).split('"')[1] if '"' in str(error) else ""
        return {"kind": "settings error", "field": fields.names.get(named, named)}
    if kind == "ValidationError" and hasattr(error, "errors"):
        errors = {}
        for item in error.errors():
            place = str(item["loc"][0]) if item["loc"] else ""
            word = item["type"]
            if len(item["loc"]) == 1 and word in ("extra_forbidden", "value_error.extra"):
                errors["extra:" + place] = "extra forbidden"
                continue
            is_missing = word in ("missing", "value_error.missing")
            own = len(item["loc"]) == 1 or tuple(item["loc"]) in fields.paths
            verdict = "missing" if is_missing and own else "validation error"
            errors.setdefault(fields.names.get(place, place), verdict)
        return {"kind": "validation error", "errors": errors}
    return {"kind": "other", "text": repr(error)[:200]}


if __name__ == "__main__":
    answers = sys.stdout
    for line in sys.stdin:
        print(json.dumps(outcome(json.loads(line))), file=answers, flush=True)
