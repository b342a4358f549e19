"""The small languages in arguments and flags: modes, signals, durations, platforms, sources."""

from __future__ import annotations

import re

_OCTAL = re.compile(r"[0-7]+")
_CLAUSE = r"[augo]*(?:[-+=][rstwXxugo]*)+"
_SYMBOLIC = re.compile(rf"{_CLAUSE}(?:,{_CLAUSE})*")

_SIGNALS = frozenset(
    {
        *("ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT"),
        *("KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM"),
        *("TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ"),
        *("RTMIN", "RTMAX"),
        *(f"RTMIN+{number}" for number in range(1, 16)),
        *(f"RTMAX-{number}" for number in range(1, 15)),
    }
)

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9}
_UNITS |= {"m": 60 * _UNITS["s"], "h": 3600 * _UNITS["s"]}
_TERM = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_DURATION = re.compile(rf"([-+]?)((?:{_TERM.pattern})+)|[-+]?0")
_LONGEST = 2**63 / 10**9

_SYSTEM = re.compile(r"[A-Za-z0-9_-]+(?:\([A-Za-z0-9_.%-]*(?:\+[A-Za-z0-9_.%-]+)*\))?")
_PART = re.compile(r"[A-Za-z0-9_.-]+")
_SYSTEMS_AND_PROCESSORS = frozenset(
    {
        *("aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js"),
        *("linux", "nacl", "netbsd", "openbsd", "plan9", "solaris", "windows", "zos", "macos"),
        *("386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "ppc64", "ppc64le"),
        *("loong64", "mips", "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le", "ppc"),
        *("riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "wasm", "i386", "x86_64"),
        *("x86-64", "aarch64", "armhf", "armel"),
    }
)

_GIT = re.compile(
    r"(?i:https?)://[^?#]*\.git(?:[?#]|\Z)|(?i:ssh|git)://|[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:"
)


def mode_fault(text: str) -> str | None:
    """Why `--chmod` can't take a value: octal digits up to 7777, or as chmod(1) takes it."""
    if _OCTAL.fullmatch(text):
        return None if len(text) < 12 and int(text, 8) <= 0o7777 else "it is greater than 7777"
    if _SYMBOLIC.fullmatch(text):
        return None
    return "it is no mode such as 755 or u+x"


def signal_fault(text: str) -> str | None:
    """Why STOPSIGNAL can't take a value: a number other than 0, or a name."""
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return None if int(text) else "there is no signal 0"
    name = text.upper().removeprefix("SIG")
    return None if name in _SIGNALS else "there is no such signal"


def duration_fault(text: str) -> str | None:
    """Why a flag of HEALTHCHECK can't take a value as a time: units, and at least 1ms or 0."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return "it is no duration with a unit, such as 30s"
    terms = _TERM.findall(match[2] or "")
    seconds = sum(float(number) * _UNITS[unit] / 10**9 for number, unit in terms)
    if seconds >= _LONGEST:
        return "it is too long"
    short = seconds and (match[1] == "-" or seconds < 0.001)
    return "it is shorter than a millisecond" if short else None


def platform_fault(text: str) -> str | None:
    """Why `--platform` can't take a value, which is `os/processor/variant` or a part of that."""
    parts = text.split("/")
    if not _SYSTEM.fullmatch(parts[0]) or not all(map(_PART.fullmatch, parts[1:])):
        return "it is no platform such as linux/amd64"
    if len(parts) > 3:
        return "it has more than three parts"
    name = parts[0].partition("(")[0].lower()
    known = len(parts) > 1 or name in _SYSTEMS_AND_PROCESSORS
    return None if known else "no system and no processor is called so"


def is_git(source: str) -> bool:
    """Whether a source of ADD is a Git repository."""
    return _GIT.match(source) is not None


def is_url(source: str) -> bool:
    """Whether a source of ADD is a file on the web."""
    return source.startswith(("http://", "https://")) and not is_git(source)


_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


def digest_fault(text: str) -> str | None:
    """Why `--checksum` can't take a value for a file on the web."""
    algorithm, _, digits = text.partition(":")
    length = _DIGEST_LENGTHS.get(algorithm)
    if length is None or not re.fullmatch(rf"[a-f0-9]{{{length}}}", digits):
        return "it is no digest such as sha256:..."
    return None
