"""Which folders are Spaces, and which files play which part."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hfcheck.space.site import walk as walking
from hfcheck.space.site.discover import Overrides, Site, card_of, discover
from hfcheck.space.site.names import hub_dockerfiles, hub_readmes, is_dockerfile

CARD = "---\nsdk: docker\n---\n"
PORT_8000 = "---\ntitle: x\nsdk: docker\napp_port: 8000\n---\n"
PYTHON = "FROM python:3.12-slim\nCOPY . .\nCMD uvicorn app:app\n"
NODE = "FROM node:22\nCOPY . .\nCMD npm start\n"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root.resolve()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path.resolve()


def only(path: Path, overrides: Overrides | None = None) -> Site:
    sites, _ = discover(path, overrides or Overrides())
    assert len(sites) == 1
    return sites[0]


def roots(path: Path) -> list[str]:
    return [site.root.relative_to(path).as_posix() for site in discover(path)[0]]


def reasons(path: Path) -> dict[str, str]:
    _, skipped = discover(path)
    return {item.path.relative_to(path).as_posix(): item.reason for item in skipped}


def test_names() -> None:
    names = [
        "Dockerfile", "dockerfile", "Dockerfile.hf", "Dockerfile-huggingface", "Dockerfile.spaces",
        "hf.Dockerfile", "Dockerfile.hf.dockerignore", "Dockerfile.hf.bak", "Dockerfile.prod",
        "backend.dockerfile", "dockerfile_notes.md", "README_HF.md", "README.hf.md",
        "README-hf.md", "HF_README.md", "hf_space_readme.md", "README_HUGGINGFACE.md",
        "README_HF.md.bak", "README.md", "READMEHF.md",
    ]  # fmt: skip
    assert hub_dockerfiles(names) == [
        "Dockerfile.hf",
        "hf.Dockerfile",
        "Dockerfile-huggingface",
        "Dockerfile.spaces",
    ]
    assert hub_readmes(names) == [
        "HF_README.md",
        "README-hf.md",
        "README.hf.md",
        "README_HF.md",
        "hf_space_readme.md",
        "README_HUGGINGFACE.md",
    ]
    assert [name for name in names if is_dockerfile(name)] == [
        "Dockerfile", "dockerfile", "Dockerfile.hf", "Dockerfile-huggingface", "Dockerfile.spaces",
        "hf.Dockerfile", "Dockerfile.prod", "backend.dockerfile",
    ]  # fmt: skip


def test_a_whole_space(repo: Path) -> None:
    tree(repo, {"README.md": CARD, "Dockerfile": PYTHON, "sub/Dockerfile": PYTHON})
    site = only(repo)
    assert site == Site(repo, repo, repo / "Dockerfile", repo / "README.md")


def test_a_dockerfile_may_be_named_as_the_path(repo: Path) -> None:
    tree(repo, {"README.md": CARD, "Dockerfile": PYTHON, "Dockerfile.dev": PYTHON})
    assert only(repo / "Dockerfile.dev").dockerfile == repo / "Dockerfile.dev"
    sites, skipped = discover(repo / "README.md")
    assert (sites, len(skipped)) == ([], 1)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no folder here has a Dockerfile"),
        ({"README.md": "---\nsdk: gradio\n---\n", "app.py": ""}, "`sdk: gradio`"),
        ({"Dockerfile.a": PYTHON, "Dockerfile.b": PYTHON}, "--dockerfile (Dockerfile.a, Dock"),
        ({"Dockerfile.web": NODE}, "--dockerfile (Dockerfile.web)"),
    ],
)
def test_nothing_to_check_and_why(repo: Path, files: dict[str, str], words: str) -> None:
    sites, skipped = discover(tree(repo, files))
    assert sites == []
    assert words in skipped[0].reason


def test_a_path_that_is_not_there(repo: Path) -> None:
    sites, skipped = discover(repo / "none")
    assert (sites, skipped[0].reason) == ([], "there is no such folder")


def test_a_card_without_a_dockerfile_is_a_space(repo: Path) -> None:
    site = only(tree(repo, {"README.md": CARD, "app.py": ""}))
    assert (site.dockerfile, site.dockerfile_name_needed) == (None, False)


def test_a_monorepo_with_signs(repo: Path) -> None:
    tree(
        repo,
        {
            "card/README.md": CARD,
            "card/Dockerfile": PYTHON,
            "port/Dockerfile": "FROM x\nEXPOSE 7860\n",
            "script/Dockerfile": NODE,
            "script/start.sh": "exec serve -l 7860\n",
            "configured/Dockerfile": PYTHON,
            "configured/pyproject.toml": "[tool.hfcheck.space]\n",
            "hf-space/Dockerfile": PYTHON,
            "named/Dockerfile.hf": PYTHON,
            "uploaded/Dockerfile": PYTHON,
            ".github/workflows/w.yml": "run: hf upload me/api uploaded . --repo-type space\n",
            "plain/Dockerfile": PYTHON,
            "web/Dockerfile": NODE,
        },
    )
    assert roots(repo) == ["card", "configured", "hf-space", "named", "port", "script", "uploaded"]
    assert "no sign of a Space" in reasons(repo)["plain"]
    assert "no sign of a Space" in reasons(repo)["web"]


def test_a_monorepo_without_signs_checks_what_is_python(repo: Path) -> None:
    tree(
        repo,
        {
            "api/Dockerfile": PYTHON,
            "api/worker/Dockerfile": PYTHON,
            "jobs/Dockerfile": "FROM debian\n",
            "jobs/requirements.txt": "flask\n",
            "web/Dockerfile": NODE,
        },
    )
    assert roots(repo) == ["api", "jobs"]
    assert "part of api/" in reasons(repo)["api/worker"]
    assert "not for Python" in reasons(repo)["web"]


def test_what_is_not_the_projects_own_is_left_out(repo: Path) -> None:
    tree(
        repo,
        {
            ".gitignore": "/build*/\n!/build-kept/\n*a*a*a*a*a*a*a*\n",
            "apps/.gitignore": "made\n",
            "api/Dockerfile": PYTHON,
            "build-kept/Dockerfile": PYTHON,
            "build/Dockerfile": PYTHON,
            "apps/made/Dockerfile": PYTHON,
            ".hidden/Dockerfile": PYTHON,
            "node_modules/x/Dockerfile": PYTHON,
            "env/pyvenv.cfg": "",
            "env/x/Dockerfile": PYTHON,
            "lib/site-packages/x/Dockerfile": PYTHON,
            "__pycache__/Dockerfile": PYTHON,
        },
    )
    assert roots(repo) == ["api", "build-kept"]


def test_an_ignored_folder_is_checked_when_it_is_the_path(repo: Path) -> None:
    tree(repo, {".gitignore": "api\n", "api/Dockerfile": PYTHON})
    assert only(repo / "api").root == repo / "api"


def test_links_and_cycles_are_not_followed(repo: Path) -> None:
    tree(repo, {"api/Dockerfile": PYTHON})
    os.symlink(repo, repo / "api/loop")
    os.symlink("/", repo / "rootfs")
    os.symlink(repo / "gone", repo / "api/README.md")
    assert roots(repo) == ["api"]


def test_a_dockerfile_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    tree(tmp_path, {"secret/Dockerfile": PYTHON, "repo/.git/HEAD": ""})
    os.symlink(tmp_path / "secret/Dockerfile", tmp_path / "repo/Dockerfile")
    assert only(tmp_path / "repo").context == (tmp_path / "repo").resolve()


def test_the_search_ends_at_its_limit(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MAX_FILES", 10)
    tree(repo, {"a/Dockerfile": PYTHON, **{f"z/{n}": "" for n in range(20)}})
    sites, skipped = discover(repo)
    assert [site.root.name for site in sites] == ["a"]
    assert [item.limit for item in skipped] == [True]


@pytest.mark.parametrize(
    "name",
    ["README_HF.md", "README.hf.md", "README-hf.md", "HF_README.md", "readme.md",
     "hf_space_readme.md", "huggingface/README.md", ".hf/README_HF.md"],
)  # fmt: skip
def test_front_matter_that_waits_under_another_name(repo: Path, name: str) -> None:
    files = {name: PORT_8000, "Dockerfile": PYTHON}
    if name != "readme.md":
        files["README.md"] = "# Title\n"
    site = only(tree(repo, files))
    assert (site.readme, site.readme_name_needed) == (repo / name, True)
    assert card_of(site).app_port == 8000


def test_a_readme_with_front_matter_is_the_readme(repo: Path) -> None:
    site = only(tree(repo, {"README.md": CARD, "README_HF.md": PORT_8000, "Dockerfile": PYTHON}))
    assert (site.readme, site.readme_name_needed) == (repo / "README.md", False)


def test_a_readme_for_the_hub_without_front_matter_is_only_text(repo: Path) -> None:
    site = only(tree(repo, {"README.md": "# T\n", "README_HF.md": "# T\n", "Dockerfile": PYTHON}))
    assert (site.readme, site.readme_name_needed) == (repo / "README.md", False)
    assert card_of(site).status == "missing"


def test_a_near_miss_for_the_hub_is_the_readme(repo: Path) -> None:
    files = {"README.md": "# T\n", "README_HF.md": "title: x\nsdk: docker\n", "Dockerfile": PYTHON}
    assert only(tree(repo, files)).readme == repo / "README_HF.md"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["Dockerfile", "Dockerfile.prod"], "Dockerfile"),
        (["Dockerfile", "Dockerfile.hf"], "Dockerfile.hf"),
        (["Dockerfile", "Dockerfile.huggingface"], "Dockerfile.huggingface"),
        (["hf.Dockerfile"], "hf.Dockerfile"),
        (["dockerfile"], "dockerfile"),
        (["Dockerfile.app"], "Dockerfile.app"),
    ],
)
def test_dockerfiles_without_a_card_beside_them(repo: Path, files: list[str], name: str) -> None:
    site = only(tree(repo, dict.fromkeys(files, PYTHON)))
    assert site.dockerfile == repo / name
    assert site.dockerfile_name_needed == (name != "Dockerfile")


def test_the_one_of_several_that_is_python(repo: Path) -> None:
    site = only(tree(repo, {"Dockerfile.app": PYTHON, "Dockerfile.nginx": "FROM nginx\n"}))
    assert site.dockerfile == repo / "Dockerfile.app"


def test_a_card_and_a_dockerfile_make_a_whole_space(repo: Path) -> None:
    site = only(tree(repo, {"README.md": CARD, "Dockerfile": PYTHON, "Dockerfile.hf": PYTHON}))
    assert (site.dockerfile, site.dockerfile_name_needed) == (repo / "Dockerfile", False)
    assert any("Dockerfile.hf is not used" in note for note in site.notes)


CLONE = "git clone https://huggingface.co/spaces/me/api space\n"
PUSH = "cd space\ngit push\n"


@pytest.mark.parametrize(
    "script",
    [
        CLONE + "rsync -a --delete api/ space/\ncp api/Dockerfile.hf space/Dockerfile\n" + PUSH,
        CLONE + "cp -r api/* space/\ncd space\nmv Dockerfile.hf Dockerfile\ngit push\n",
        "cd api\nmv Dockerfile.hf Dockerfile\ngit push https://huggingface.co/spaces/me/api HEAD\n",
        CLONE + 'SRC="$PWD/api"\ncp -r "$SRC/." space\ncp "$SRC/Dockerfile.hf" space/Dockerfile\n',
    ],
)
def test_a_workflow_that_renames_the_dockerfile(repo: Path, script: str) -> None:
    tree(repo, {"api/README.md": CARD, "api/Dockerfile": PYTHON, "api/Dockerfile.hf": PYTHON})
    body = "".join(f"        {line}\n" for line in script.splitlines())
    tree(repo, {".github/workflows/w.yml": f"jobs:\n  a:\n    steps:\n    - run: |\n{body}"})
    site = only(repo / "api")
    assert (site.dockerfile, site.dockerfile_name_needed) == (repo / "api/Dockerfile.hf", True)
    assert site.context == repo / "api"


WRITES = [
    "cat > space/README.md <<'EOF'\n---\nsdk: docker\napp_port: 8000\n---\nEOF\n",
    "cat <<-EOF > space/README.md\n---\nsdk: docker\napp_port: 8000\n---\nEOF\n",
    "printf '%s\\n' '---' 'sdk: docker' 'app_port: 8000' '---' > space/README.md\n",
    "printf '%s\\n' \\\n  '---' \\\n  'sdk: docker' \\\n  'app_port: 8000' \\\n  '---' \\\n"
    "  > space/README.md\n",
    "printf -- '---\\nsdk: docker\\napp_port: 8000\\n---\\n' > space/README.md\n",
    "echo '---' > README.md\necho 'sdk: docker' >> README.md\necho 'app_port: 8000' >> README.md\n"
    "echo '---' >> README.md\n",
]


@pytest.mark.parametrize("write", WRITES)
def test_a_workflow_that_writes_the_readme(repo: Path, write: str) -> None:
    tree(repo, {"README.md": "# T\n", "Dockerfile": PYTHON})
    script = CLONE + "rsync -a ./ space/\n" + write + PUSH
    body = "".join(f"        {line}\n" for line in script.splitlines())
    text = f"jobs:\n  a:\n    steps:\n    - run: |\n{body}"
    tree(repo, {".github/workflows/w.yml": text})
    site = only(repo)
    assert (site.readme, site.readme_name_needed) == (repo / ".github/workflows/w.yml", True)
    card = card_of(site)
    assert (card.sdk, card.app_port) == ("docker", 8000)
    assert card.values["app_port"].place.span.start == text.index("8000")


SPELLED_OUT = [
    "printf -- '---\\nsdk: docker\\napp_port: 8000\\n---\\n' | cat - README.md > /tmp/r\n"
    "mv /tmp/r README.md\n",
    "cat <<'EOF' | cat - README.md > /tmp/r\n---\nsdk: docker\napp_port: 8000\n---\nEOF\n"
    "mv /tmp/r README.md\n",
    "sed -i '1i ---\\nsdk: docker\\napp_port: 8000\\n---' README.md\n",
    "sed -i '1i ---\\\nsdk: docker\\\napp_port: 8000\\\n---' README.md\n",
    "{\n  echo '---'\n  echo sdk: docker\n  echo \"app_port: 8000\"\n  echo '---'\n} > README.md\n",
    "python - <<'EOF'\np = Path('README.md')\n"
    "p.write_text('---\\nsdk: docker\\napp_port: 8000\\n---\\n' + p.read_text())\nEOF\n",
    "python - <<'EOF'\nwith open('README.md', 'w') as f:\n    f.write(\"\"\"---\nsdk: docker\n"
    'app_port: 8000\n---\n""")\nEOF\n',
]
NOT_FOLLOWED = [
    "make-card > README.md\n",
    "cat card.part README.md > new.md && mv new.md README.md\n",
    "git mv made.md README.md\n",
    "curl -o README.md https://example.com/card\n",
    "perl -0pi -e 's/^/$CARD/' README.md\n",
    'echo "$CARD" > README.md\n',
    "echo $CARD > README.md\n",
    "cat > README.md <<EOF\n$CARD\nEOF\n",
    "python -c \"SpaceCard(text).save('README.md')\"\n",
    "sed -i '1i ---\\nsdk: docker\\napp_port: 8000\\n---' README.md\n"
    "sed -i '1i ---\\nsdk: docker\\napp_port: 9000\\n---' README.md\n",
]
FOLLOWED = [
    "grep sdk README.md\n",
    "cat README.md > /tmp/shown\n",
    "sed -n 1,3p README.md\n",
    "echo 'deployed' >> README.md\n",
    "git add README.md\n",
    "cp README.md backup.md\n",
]


def _pushed(repo: Path, write: str) -> Site:
    tree(repo, {"README.md": "# T\n", "Dockerfile": PYTHON})
    script = write + "git push https://huggingface.co/spaces/me/api HEAD:main\n"
    body = "".join(f"        {line}\n" for line in script.splitlines())
    text = f"---\njobs:\n  a:\n    steps:\n    - run: |\n{body}"
    tree(repo, {".github/workflows/w.yml": text})
    return only(repo)


@pytest.mark.parametrize("write", SPELLED_OUT)
def test_front_matter_that_a_script_spells_out(repo: Path, write: str) -> None:
    site = _pushed(repo, write)
    assert site.readme_name_needed
    card = card_of(site)
    assert (card.status, card.sdk, card.app_port) == ("ok", "docker", 8000)
    assert card.values["app_port"].place.text == "8000"


@pytest.mark.parametrize("write", NOT_FOLLOWED)
def test_a_readme_written_in_a_way_that_is_not_followed(repo: Path, write: str) -> None:
    site = _pushed(repo, write)
    card = card_of(site)
    assert (card.status, card.app_port) == ("kept", None)
    assert site.readme_changed is not None and site.readme_changed.text


@pytest.mark.parametrize("write", FOLLOWED)
def test_reading_the_readme_does_not_change_it(repo: Path, write: str) -> None:
    assert card_of(_pushed(repo, write)).status == "missing"


def test_a_file_of_the_repository_put_before_the_readme(repo: Path) -> None:
    tree(repo, {"deploy/head.md": PORT_8000})
    site = _pushed(repo, "cat deploy/head.md README.md > new.md\nmv new.md README.md\n")
    assert (site.readme, card_of(site).app_port) == (repo / "deploy/head.md", 8000)


def test_a_script_that_the_deployment_runs(repo: Path) -> None:
    write = "from pathlib import Path\nPath('README.md').write_text(card())\n"
    tree(repo, {"scripts/card.py": write, "scripts/other.py": write})
    site = _pushed(repo, "python scripts/card.py\n")
    assert site.readme_changed is not None
    assert site.readme_changed.source.path == repo / "scripts/card.py"
    assert _pushed(repo, "python scripts/none.py\n").readme_changed is None


def test_a_workflow_that_copies_the_readme_of_the_root(repo: Path) -> None:
    script = CLONE + "cp -r api/* space/\n        cp README.md space/\n"
    tree(
        repo,
        {
            "README.md": PORT_8000,
            "api/Dockerfile": PYTHON,
            ".github/workflows/w.yml": f"steps:\n    - run: |\n        {script}",
        },
    )
    for site in (only(repo), only(repo / "api")):
        assert (site.root, site.readme) == (repo / "api", repo / "README.md")
        assert card_of(site).app_port == 8000


@pytest.mark.parametrize(
    ("wipe", "status"),
    [
        ("", "kept"),
        ("find space ! -name README.md -delete\n", "kept"),
        ("rm -rf space/*\n", "missing"),
        ("find space -delete\n", "missing"),
    ],
)
def test_the_readme_that_the_space_has_on_the_hub(repo: Path, wipe: str, status: str) -> None:
    tree(
        repo,
        {
            "api/README.md": "# T\n",
            "api/Dockerfile": PYTHON,
            "deploy.sh": CLONE + wipe + "cp -r api/. space/\n" + PUSH,
        },
    )
    card = card_of(only(repo / "api"))
    assert (card.status, card.app_port) == (status, None if status == "kept" else 7860)


def test_a_script_that_is_no_deployment_says_nothing(repo: Path) -> None:
    tree(
        repo,
        {
            "Dockerfile": PYTHON,
            "Dockerfile.old": PYTHON,
            "check.sh": "curl https://huggingface.co/spaces/me/api\nmv Dockerfile.old Dockerfile\n",
        },
    )
    assert only(repo).dockerfile == repo / "Dockerfile"


@pytest.mark.parametrize(
    "script",
    [
        "hf upload me/api api . --repo-type space\n",
        "huggingface-cli upload me/api ./api . --repo-type=space\n",
        "git subtree push --prefix=api https://huggingface.co/spaces/me/api main\n",
        'api.upload_folder(folder_path="api", repo_id="me/api", repo_type="space")\n',
        CLONE + "rsync -av ./api/ space\n",
        CLONE + "cp -a ../api/. .\n",
    ],
)
def test_uploads_are_signs(repo: Path, script: str) -> None:
    tree(repo, {"api/Dockerfile": PYTHON, "web/Dockerfile": PYTHON, "scripts/up.sh": script})
    assert roots(repo) == ["api"]


def test_a_card_at_the_root_and_an_upload_from_below(repo: Path) -> None:
    script = "git subtree push --prefix api https://huggingface.co/spaces/me/api main\n"
    tree(
        repo, {"README.md": CARD, "api/README.md": CARD, "api/Dockerfile": PYTHON, "up.sh": script}
    )
    assert roots(repo) == ["api"]


def test_a_folder_below_that_a_workflow_uploads_is_told(repo: Path) -> None:
    tree(
        repo,
        {
            "Dockerfile": PYTHON + "EXPOSE 7860\n",
            "api/Dockerfile": PYTHON,
            "up.sh": "hf upload a/b api # space",
        },
    )
    assert roots(repo) == ["."]
    assert "up.sh uploads it" in reasons(repo)["api"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"api/README.md": CARD}, True),
        ({"up.sh": "hf upload a/b api # space"}, True),
        ({}, False),
        ({"api/main.py": "PORT = 7860\n"}, False),
        ({"api/README.md": CARD, "start.sh": "exec serve -l 7860\n"}, False),
        ({"api/README.md": CARD, "README.md": "---\nsdk: gradio\n---\n"}, False),
        ({"api/README.md": CARD, "hfcheck.toml": ""}, False),
        ({"api/README.md": CARD, "up.sh": "hf upload a/b . # space"}, False),
    ],
)
def test_below_a_root_without_a_sign_a_space_is_told(
    repo: Path, files: dict[str, str], told: bool
) -> None:
    tree(repo, {"Dockerfile": NODE, "api/Dockerfile": PYTHON, **files})
    assert roots(repo) == ["."]
    assert ("api" in reasons(repo)) is told
    assert only(repo, Overrides(dockerfile=repo / "Dockerfile")).root == repo


def test_links_that_lead_to_no_file_are_no_files(repo: Path) -> None:
    tree(repo, {"README.md": CARD, "app.py": ""})
    for target in ("Dockerfile", "gone"):
        os.symlink(target, repo / "Dockerfile")
        assert only(repo).dockerfile is None
        os.unlink(repo / "Dockerfile")


def test_front_matter_above_the_folder(repo: Path) -> None:
    tree(repo, {"README.md": CARD, "api/Dockerfile": PYTHON, "up.sh": "hf upload a/b api # space"})
    assert only(repo / "api").readme_above == repo / "README.md"
    tree(repo, {"Dockerfile": PYTHON})
    assert only(repo / "api").readme_above is None


def test_a_readme_for_the_hub_that_names_the_dockerfile(repo: Path) -> None:
    files = {"README.md": CARD, "Dockerfile": PYTHON, "Dockerfile.hf": PYTHON}
    tree(repo, {**files, "README_HF.md": "Rename Dockerfile.hf first.\n"})
    assert only(repo).dockerfile == repo / "Dockerfile.hf"


def test_dockerfile_and_readme_of_one_family() -> None:
    names = ["Dockerfile.hf", "Dockerfile.spaces", "README_SPACES.md"]
    assert hub_dockerfiles(names)[0] == "Dockerfile.spaces"
    assert hub_dockerfiles(names[:2])[0] == "Dockerfile.hf"


@pytest.mark.parametrize(
    ("lines", "context"),
    [
        ("COPY backend/requirements.txt .\nCOPY backend/app ./app\n", "."),
        ('COPY ["backend/app", "./app"]\n', "."),
        ("COPY . .\nRUN pip install -r backend/requirements.txt\n", "."),
        ("COPY requirements.txt .\nCOPY app ./app\n", "backend"),
        ("COPY . .\n", "backend"),
        ("COPY missing.txt .\n", "backend"),
        ("COPY root.txt .\n", "backend"),
        ("COPY $SRC .\nCOPY --from=build backend/app /app\n", "backend"),
        ("ADD https://example.com/backend/x .\n", "backend"),
        ("COPY backend/gone.txt .\n", "backend"),
    ],
)
def test_the_context_that_copy_paths_fit(repo: Path, lines: str, context: str) -> None:
    tree(
        repo,
        {
            "root.txt": "",
            "backend/Dockerfile": "FROM python:3.12\n" + lines,
            "backend/requirements.txt": "",
            "backend/main.py": "",
            "backend/app/main.py": "",
        },
    )
    site = only(repo / "backend")
    assert site.root == repo / "backend"
    assert site.context == (repo / context).resolve()
    assert site.dockerfile_name_needed == (context == ".")
    assert any("build context" in note for note in site.notes) == (context == ".")


def test_a_folder_that_holds_only_dockerfiles_builds_its_parent(repo: Path) -> None:
    files = {"docker/Dockerfile": "FROM python\nCOPY src app.py ./\n", "src/x.py": "", "app.py": ""}
    assert only(tree(repo, files) / "docker").context == repo


def test_a_path_without_a_repository_needs_paths_that_lead_back(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "back/Dockerfile": "FROM python\nCOPY back/app.py .\n",
            "back/app.py": "",
            "docker/Dockerfile": "FROM python\nCOPY app.py .\n",
            "app.py": "",
        },
    )
    assert only(root / "back").context == root
    assert only(root / "docker").context == root / "docker"


def test_what_the_user_names_needs_no_other_name(repo: Path) -> None:
    tree(
        repo, {"deploy/api.Dockerfile": "FROM x\nCOPY a .\n", "a": "", "deploy/card.md": PORT_8000}
    )
    site = only(repo, Overrides(Path("deploy/api.Dockerfile"), Path("deploy/card.md")))
    assert (site.dockerfile, site.readme) == (
        repo / "deploy/api.Dockerfile",
        repo / "deploy/card.md",
    )
    assert not site.dockerfile_name_needed and not site.readme_name_needed
    assert (site.root, site.context) == (repo, repo)
    assert only(repo, Overrides(context=Path("deploy"))).context == repo / "deploy"


def test_what_the_configuration_names(repo: Path) -> None:
    tree(repo, {"api/Dockerfile": PYTHON, "api/Dockerfile.x": PYTHON})
    named = Overrides(dockerfile=repo / "api/Dockerfile.x")
    sites, _ = discover(repo, configured=lambda f: named if f.name == "api" else Overrides())
    assert [site.dockerfile for site in sites] == [repo / "api/Dockerfile.x"]
    sites, _ = discover(repo / "api", Overrides(), lambda folder: named)
    assert sites[0].dockerfile == repo / "api/Dockerfile.x"


@pytest.mark.parametrize(
    "script",
    [
        "git push huggingface.co/spaces/\n" + "\\\n" * 200_000,
        "git push huggingface.co/spaces/\nprintf '" + '\\"' * 200_000 + "' > README.md\n",
        "git push huggingface.co/spaces/\n" + "cat <<EOF > README.md\n" * 20_000,
        "git push huggingface.co/spaces/\ncp " + "a/" * 100_000 + " README.md\n",
        "git push huggingface.co/spaces/\ncp " + "x" * 5_000 + " README.md\n",
        "git push huggingface.co/spaces/\nmv x README.md\necho a" + " " * 19_000 + "|\n",
        "git push huggingface.co/spaces/\nmv x README.md\n" + "---\n" * 50_000,
        "git push huggingface.co/spaces/\nmv x README.md\n" + "\\n" * 200_000,
        "git push huggingface.co/spaces/\ncd \x00\ncp \x00 README.md\n",
        "git push huggingface.co/spaces/\nA=$A$A\n" + "A=$A$A\n" * 60 + "cd $A\n",
    ],
)
def test_hostile_scripts(repo: Path, script: str) -> None:
    tree(repo, {"Dockerfile": PYTHON, "deploy.sh": script})
    assert only(repo).dockerfile == repo / "Dockerfile"
