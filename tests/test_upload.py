"""What `hf upload` would send: the rules of huggingface_hub 2.4.0, as observed."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_examples import write_tree

from hfcheck.space.context import Context
from hfcheck.space.upload import MAX_FILES, Upload


def upload(root: Path, files: dict[str, str], below: str = "") -> Upload:
    write_tree(root, files)
    return Upload(Context((root / below).resolve()))


def test_hidden_files_go_and_what_the_root_gitignore_names_stays(tmp_path: Path) -> None:
    names = [".env", "a/.env", ".github/x.yml", "b.db", "logs/x.log", "keep.log", "c/d.pyc"]
    files = dict.fromkeys(names, "x")
    sent = upload(
        tmp_path,
        {
            **files,
            ".gitignore": "/.env\nlogs/\n*.log\n!keep.log\n",
            "c/.gitignore": "*.pyc\n",
            ".dockerignore": "**\n",
        },
    )
    gone = {name for name in names if not sent.sends(name)}
    assert gone == {".env", "logs/x.log"}
    doubt = sent.doubt("c/d.pyc")
    assert doubt is not None and doubt.place.text == "*.pyc"
    assert sent.doubt("b.db") is None


def test_git_and_the_cache_of_the_hub_never_go(tmp_path: Path) -> None:
    names = [
        ".git/config",
        "a/.git/x",
        ".cache/huggingface/y",
        "a/.cache/huggingface/z",
        ".cache/x",
    ]
    sent = upload(tmp_path, dict.fromkeys(names, "x"))
    assert [name for name in names if sent.sends(name)] == [".cache/x"]


def test_a_gitignore_further_up_is_a_doubt(tmp_path: Path) -> None:
    files = {".git/HEAD": "", ".gitignore": ".env\n", "backend/.env": "x"}
    sent = upload(tmp_path, files, "backend")
    assert sent.sends(".env")
    doubt = sent.doubt(".env")
    assert doubt is not None and doubt.place.source.path == tmp_path.resolve() / ".gitignore"


@pytest.mark.parametrize(
    "script",
    [
        'hf upload me/x . --repo-type space --exclude "*.db" --exclude .env\n',
        "hf upload me/x . --repo-type=space --exclude=.env\n",
        "git clone https://huggingface.co/spaces/me/x\nrsync -a --exclude='.env' ./ x/\n",
        "git clone https://huggingface.co/spaces/me/x\ncp -r . x/\nrm -rf x/.env\n",
    ],
)
def test_what_a_script_leaves_out(tmp_path: Path, script: str) -> None:
    sent = upload(tmp_path, {".env": "x", "main.py": "", "deploy.sh": script})
    assert not sent.sends(".env")
    assert sent.sends("main.py")


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('ignore_patterns=["*.pyc", ".env"]', ["main.py", "data/a.db"]),
        ('ignore_patterns=[\n    "*.pyc",\n    "data/",\n    "**/.env",\n]', ["main.py"]),
        ('allow_patterns=["*.py", "Dockerfile"]', ["main.py"]),
        ('ignore_patterns="*.db"', [".env", "main.py"]),
        ('ignore_patterns=["*"]', [".env", "main.py", "data/a.db"]),
        ("", [".env", "main.py", "data/a.db"]),
    ],
)
def test_patterns_of_upload_folder(tmp_path: Path, arguments: str, sent: list[str]) -> None:
    script = f'HfApi().upload_folder(repo_id="me/x", repo_type="space", {arguments})\n'
    found = upload(tmp_path, {".env": "", "main.py": "", "data/a.db": "", "deploy.py": script})
    assert [name for name in (".env", "main.py", "data/a.db") if found.sends(name)] == sent


def test_files_are_those_of_the_project(tmp_path: Path) -> None:
    found = upload(
        tmp_path,
        {
            "main.py": "",
            "a/b.py": "",
            ".hidden/c": "",
            "node_modules/x.js": "",
            "venv/pyvenv.cfg": "",
            "venv/lib/y.py": "",
            ".git/z": "",
            **{f"many/{n}": "" for n in range(101)},
            ".gitignore": "many/\n",
        },
    )
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out").symlink_to("/etc/hostname")
    assert found.files == (".gitignore", "main.py", "out", ".hidden/c", "a/b.py")
    assert found.read("out") is None
    assert found.head("out", 10) == b""
    assert found.read("main.py") == b""
    assert found.read(".gitignore", 3) is None
    assert found.complete and MAX_FILES == 20_000
