"""Secrets are found by their shape, told by their place, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from test_examples import write_tree
from work import calls

from hfcheck.cli import main
from hfcheck.engine import check_path
from hfcheck.finding import Finding
from hfcheck.source import SourceFile, Span
from hfcheck.space.leak.names import is_env_file, is_secret_name
from hfcheck.space.leak.randomness import looks_random
from hfcheck.space.leak.tokens import (
    checksum,
    hits,
    is_real_host,
    is_real_password,
    kinds,
    needles,
    starred,
)

# Made up, and put together here so that no program which looks for secrets stumbles over them.
DRAWN = "Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeb"
LONG = "E95B9EgE0VrbBGI09QYNdaKy8isWydfhl3TvtnythpZPPPP6UeP3wX7mKd2LqT9vRs4Hn8Jc"
HUB = "hf_" + DRAWN
GITHUB = "ghp_" + "y3abP3E2Zs8IQ9Y7aJZqhB6baeCN6Z0u834N"
GROQ = "gsk_" + LONG[:52]
HEX = "216fdaeeb975729fae923d5a4fd12aab"
PASSWORD = "u8qRtZHjQMhuOz"
BODY = "fcnLMH2xPRENLRP8CoFxNTHszHCls4wp+UIkHJXBDVcJQ8mZXZh1DaCMNRrISQ8A"
PEM = f"-----BEGIN PRIVATE KEY-----\n{BODY}\n{BODY[::-1]}\n-----END PRIVATE KEY-----\n"
DEFAULT = "the-weakest-of-defaults"

FILES = {
    "README.md": f"---\nsdk: docker\n---\n\nLog in with {GITHUB} first.\n",
    "Dockerfile": (
        f"FROM python:3.12-slim\nWORKDIR /app\nENV HF_TOKEN={HUB}\nARG SIGNING_SECRET={HEX}\n"
        "COPY key.pem main.py tokens.py ./\nRUN pip install uvicorn pyjwt\n"
        'CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "7860"]\n'
    ),
    "main.py": (
        "from tokens import login\n\n"
        f'URL = "postgresql://app:{PASSWORD}@ep-quiet-hill-a1c4e9d2.aws.neon.tech/app"\n\n\n'
        "async def app(scope, receive, send):\n    print(login(URL))\n"
    ),
    "tokens.py": (
        "import os\n\nimport jwt\n\n"
        f'KEY = os.getenv("JWT_SECRET", "{DEFAULT}")\n\n\n'
        "def login(user):\n    return jwt.encode({}, KEY)\n"
    ),
    ".env": f"PORT=7860\nGROQ_API_KEY={GROQ}\n",
    "key.pem": PEM,
}
PLANTED = (DRAWN, HEX, PASSWORD, DEFAULT, GROQ[4:], GITHUB[4:], BODY, BODY[::-1])


@pytest.mark.parametrize(
    "options", [[], ["--format", "json"], ["--format", "json", "--show-facts"]]
)
def test_no_format_shows_a_secret(tmp_path: Path, options: list[str]) -> None:
    write_tree(tmp_path, FILES)
    out = CliRunner().invoke(main, [str(tmp_path), *options]).output
    for rule in (
        "secret-in-image",
        "secret-in-code",
        "env-file-shipped",
        "insecure-default-secret",
    ):
        assert rule in out
    for secret in PLANTED:
        assert secret not in out
        assert secret[:12] not in out


def found(root: Path, files: dict[str, str]) -> list[Finding]:
    write_tree(root, files)
    rules = ("secret-in-image", "secret-in-code", "env-file-shipped", "insecure-default-secret")
    findings = [f for report in check_path(root).spaces for f in report.findings]
    return [f for f in findings if f.rule in rules]


def test_each_secret_is_one_finding_and_its_place_is_starred_out(tmp_path: Path) -> None:
    findings = found(tmp_path, FILES)
    assert sorted((f.rule, f.primary.place.source.path.name) for f in findings) == [
        ("env-file-shipped", ".env"),
        ("insecure-default-secret", "tokens.py"),
        ("secret-in-code", "README.md"),
        ("secret-in-code", "main.py"),
        *[("secret-in-image", "Dockerfile")] * 3,
    ]
    for finding in findings:
        for location in finding.locations:
            text = location.place.source.text
            if location.role == "primary" and finding.rule != "secret-in-image":
                assert not any(secret in text for secret in PLANTED)
            original = Path(location.place.source.path).read_text("utf-8")
            assert len(original) == len(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"x = '{HUB}'", "a Hugging Face token"),
        (f"https://oauth2:{GITHUB}@github.com/a/b", "a GitHub token"),
        ("github_" + f"pat_{LONG[:22]}_{LONG[5:64]}", "a GitHub token"),
        ("sk-" + f"proj-{LONG[:40]}T3BlbkFJ{LONG[20:60]}", "an OpenAI key"),
        ("sk-" + "or-v1-" + HEX + HEX[::-1], "an OpenRouter key"),
        ("sk-" + HEX, "a key of a model provider"),
        (GROQ, "a Groq key"),
        ("xox" + f"b-123456789012-210987654321-{DRAWN[:24]}", "a Slack token"),
        ("hooks.slack.com/services/" + f"T0A1B2C3D/B9Z8Y7X6W/{DRAWN[:24]}", "a Slack webhook"),
        ("sk_" + f"live_{DRAWN}", "a Stripe key"),
        ("SG." + f"{DRAWN[:22]}.{LONG[:43]}", "a SendGrid key"),
        ("re_" + f"{DRAWN[:8]}_{LONG[:24]}", "a Resend key"),
        ("7281936450:" + f"AA{DRAWN[:33]}", "a Telegram bot token"),
        ("AIza" + f"Sy{DRAWN[:33]}", "a Google API key"),
        (f"AKIA{'3KD5QZ7LMW2XN4RT'}\nsecret = {BODY[:40]}", "an AWS access key"),
        (f"mongodb+srv://app:{PASSWORD}@c0.k3xq9.mongodb.net", "a database password"),
        (f"rediss://:{PASSWORD}@eager-fox-31.upstash.io:6379", "a database password"),
        (PEM, "a private key"),
        (PEM.replace("\n", "\\n"), "a private key"),
    ],
)
def test_shapes(text: str, what: str) -> None:
    assert [hit.kind.what for hit in hits(text)] == [what]


@pytest.mark.parametrize(
    "text",
    [
        HUB + "x",
        "x" + HUB,
        "hf_" + "x" * 34,
        "hf_abcdefghijklmnopqrstuvwxyz12345678",
        "hf_YourTokenGoesInThisPlace1234567890",
        GITHUB[:-1] + "0",
        "AKIAIOSFODNN7EXAMPLE\n" + BODY[:40],
        "AKIA" + "3KD5QZ7LMW2XN4RT",
        "sk-" + "0" * 32,
        "sk_" + f"test_{DRAWN}",
        f"postgresql://app:{PASSWORD}@db/app",
        f"postgresql://app:{PASSWORD}@10.1.2.3/app",
        "postgresql://postgres:postgres@db.k3xq9.supabase.co/postgres",
        "postgresql://user:Password123@ep-quiet-hill-a1c4e9d2.aws.neon.tech/app",
        "postgresql://{user}:{password}@{host}/app",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        PEM.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        PEM.replace("PRIVATE", "PUBLIC"),
        'apiKey: "AIza' + f'Sy{DRAWN[:33]}", authDomain: "x"',
    ],
)
def test_what_only_looks_like_a_secret(text: str) -> None:
    assert hits(text) == []


def test_keys_of_pages_are_no_secret_in_their_files() -> None:
    text = "AIza" + f"Sy{DRAWN[:33]}"
    assert hits(text, "maps.js") == []
    assert not hits(text, "main.py")[0].kind.sure


def test_the_checksum_is_githubs() -> None:
    # The example that GitHub users published when the format came; it was never valid again.
    assert checksum("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ") == "0mLq17"


def test_every_kind_has_a_needle_that_its_pattern_needs() -> None:
    assert len(kinds()) > 20
    assert all(needle in b"".join(needles()) for needle in needles())


def test_starring_out_keeps_length_lines_and_the_kind() -> None:
    text = f"a = '{HUB}'\r\nb = 1\r\n"
    source = starred(SourceFile(Path("/x.py"), text), [Span(5, 5 + len(HUB))])
    assert len(source.text) == len(text)
    assert source.text == f"a = 'hf_K{'*' * 33}'\r\nb = 1\r\n"


@pytest.mark.parametrize("text", [DRAWN, HEX, PASSWORD + DRAWN[:6]])
def test_drawn_at_random(text: str) -> None:
    assert looks_random(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "short1A", "a" * 40, "0123456789abcdef" * 2, "1" * 32, "f" * 31 + "1"),
        *("correct horse battery staple", "my-super-secret-key-1234", "ChangeThisInProduction99"),
    ],
)
def test_not_drawn_at_random(text: str) -> None:
    assert not looks_random(text)


def test_names_of_files_and_variables() -> None:
    files = [
        ".env",
        ".env.local",
        ".env.production",
        "prod.env",
        ".env-staging",
        ".env.backup",
        ".envrc",
    ]
    assert all(map(is_env_file, files))
    others = [
        ".env.example",
        ".env-sample",
        "example.env",
        "env.py",
        ".envrc.md",
        "environment",
        "a.environ",
    ]
    assert not any(map(is_env_file, others))
    assert all(map(is_secret_name, ["JWT_SECRET", "api_key", "OPENAI_API_KEY", "DB_PASSWORD"]))
    names = ["SECRET_NAME", "TOKEN_LIMIT", "NEXT_PUBLIC_API_KEY", "JWT_ALGORITHM", "API_KEY_FILE"]
    assert not any(map(is_secret_name, names))


def test_hosts_and_passwords() -> None:
    assert is_real_host("ep-quiet-hill-a1c4e9d2.aws.neon.tech")
    assert is_real_host("8.8.4.4")
    hosts = ["localhost", "db", "db.example.com", "127.0.0.1", "x.local", "your-host.com", "h.x"]
    assert not any(map(is_real_host, hosts))
    assert is_real_password("npg_" + PASSWORD[:12])
    assert not any(map(is_real_password, ["password1", "abcdefgh", "12345678", "p4ss", "aaaaaaa1"]))


@pytest.mark.parametrize(
    "text",
    [
        "sk-" * 100_000,
        "postgres://" * 50_000,
        "postgres://a:" + "b" * 300_000,
        "eyJ" + "a" * 300_000,
        ("eyJ" + "a" * 50 + ".") * 5_000,
        "-----BEGIN PRIVATE KEY-----" + "A" * 300_000,
        ("T3BlbkFJ" + "sk-" + "a" * 30) * 10_000,
        "hf_" + "K" * 300_000,
        ":AA" * 100_000,
    ],
)
def test_long_texts_are_searched_in_linear_time(text: str) -> None:
    assert calls(lambda: hits(text)) < 400_000


def test_a_large_folder_is_searched_within_limits(tmp_path: Path) -> None:
    files = {f"data/{n}.py": "x = 1\n" for n in range(400)}
    write_tree(tmp_path, {**FILES, **files})
    assert calls(lambda: check_path(tmp_path)) < 1_500_000
