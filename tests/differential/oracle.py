"""Builds settings classes with the real library and tells what happened.

Run by the Python of an environment that has it, never imported: reads one JSON object a line
(`source`, `name`, `env`, `dotenv`, `init`, `secrets`) and writes one outcome a line.
"""

import json
import os
import shutil
import sys
import tempfile
import types
import warnings

warnings.simplefilter("ignore")


def outcome(case):
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(case["env"])
    if case.get("dotenv") is not None:
        with open(".env", "w", encoding="utf-8") as file:
            for name, value in case["dotenv"].items():
                file.write(name + ("\n" if value is None else f"='{value}'\n"))
    if case.get("secrets") is not None:
        os.mkdir("secrets")
        for name, value in case["secrets"].items():
            with open(os.path.join("secrets", name), "w", encoding="utf-8") as file:
                file.write(value)
    try:
        return run(case)
    finally:
        os.chdir("/")
        shutil.rmtree(folder)


def run(case):
    module = types.ModuleType("case_module")
    seen = getattr(sys.modules.get("pydantic.class_validators"), "_FUNCS", None)
    if seen is not None:
        seen.clear()  # pydantic 1 refuses two validators of one name
    sys.modules["case_module"] = module
    try:
        exec(compile(case["source"], "<case>", "exec"), module.__dict__)
        cls = getattr(module, case["name"])
    except ImportError as error:
        return {"kind": "import error", "text": repr(error)[:200]}
    except BaseException as error:
        return {"kind": "class error", "text": repr(error)[:200]}
    names, paths, variables = {}, set(), {}
    fields = getattr(cls, "model_fields", None) or getattr(cls, "__fields__", {})
    for name, field in fields.items():
        names[name] = name
        for alias in _aliases(field):
            names.setdefault(alias, name)
        extra = getattr(getattr(field, "field_info", None), "extra", {})
        variables.update(dict.fromkeys(extra.get("env_names", ()), name))
        given = getattr(field, "validation_alias", None)
        for choice in getattr(given, "choices", None) or [given]:
            paths.add(tuple(getattr(choice, "path", ())))
    try:
        cls(**(case.get("init") or {}))
    except BaseException as error:
        return failure(error, names, paths, variables)
    return {"kind": "ok"}


def _aliases(field):
    found = [getattr(field, "alias", None)]
    given = getattr(field, "validation_alias", None)
    for choice in getattr(given, "choices", None) or [given]:
        found.append(choice if isinstance(choice, str) else getattr(choice, "path", [None])[0])
    return [alias for alias in found if isinstance(alias, str)]


def failure(error, names, paths, variables):
    kind = type(error).__name__
    if kind == "SettingsError":
        named = str(error).split('"')[1] if '"' in str(error) else ""
        return {"kind": "settings error", "field": variables.get(named, named)}
    if kind == "ValidationError" and hasattr(error, "errors"):
        errors = {}
        for item in error.errors():
            place = str(item["loc"][0]) if item["loc"] else ""
            word = item["type"]
            if len(item["loc"]) == 1 and word in ("extra_forbidden", "value_error.extra"):
                errors["extra:" + place] = "extra forbidden"
                continue
            is_missing = word in ("missing", "value_error.missing")
            own = len(item["loc"]) == 1 or tuple(item["loc"]) in paths
            verdict = "missing" if is_missing and own else "validation error"
            errors.setdefault(names.get(place, place), verdict)
        return {"kind": "validation error", "errors": errors}
    return {"kind": "other", "text": repr(error)[:200]}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(outcome(json.loads(line))), flush=True)
