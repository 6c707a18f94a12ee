"""The Dockerfile keeps to rules, and what it does can be done: its steps are run here, without Docker."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text()
SECRET = re.compile(r"password|passwd|token|secret|api_?key|private", re.IGNORECASE)


def steps(text: str) -> list[tuple[str, str]]:
    """Instruction and the rest of each step, comments gone and lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def of(text: str, instruction: str) -> list[str]:
    return [rest for name, rest in steps(text) if name == instruction]


def command_of(text: str, instruction: str) -> list[str]:
    return json.loads(of(text, instruction)[-1])


def health_of(text: str) -> list[str]:
    return json.loads(of(text, "HEALTHCHECK")[-1].split("CMD ", 1)[1])


def lint(text: str) -> list[str]:
    """What is wrong with a Dockerfile."""
    found = []
    if not all(re.search(r":\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$", base) for base in of(text, "FROM")):
        found.append("base is not pinned")
    users = of(text, "USER")
    if not users or users[-1].split(":")[0] in ("root", "0"):
        found.append("runs as root")
    if users and steps(text).index(("USER", users[-1])) < max(
        i for i, (name, _) in enumerate(steps(text)) if name == "RUN"
    ):
        found.append("builds as the user who serves")
    if any(SECRET.search(rest) for name in ("ENV", "ARG", "RUN") for rest in of(text, name)):
        found.append("has a secret")
    if not of(text, "HEALTHCHECK") or "NONE" in of(text, "HEALTHCHECK"):
        found.append("has no health check")
    if of(text, "ADD") or any(source in (".", "./", "*") for rest in of(text, "COPY") for source in rest.split()[:-1]):
        found.append("copies more than it names")
    if any(re.search(r"\b(curl|wget)\b|sudo|chmod\s+777|--trusted-host|http://", rest) for rest in of(text, "RUN")):
        found.append("fetches or opens what it should not")
    if any("pip install" in rest and "-c constraints.txt" not in rest for rest in of(text, "RUN")):
        found.append("installs unpinned packages")
    if "--login" not in command_of(text, "ENTRYPOINT") + command_of(text, "CMD"):
        found.append("serves without a login")
    return found


def test_the_dockerfile_keeps_the_rules():
    assert lint(TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("python:3.11.14-slim-bookworm", "python:latest", "base is not pinned"),
        ("python:3.11.14-slim-bookworm", "python:3-slim", "base is not pinned"),
        ("USER 10001", "USER root", "runs as root"),
        ("USER 10001\n", "", "runs as root"),
        ("ENV PIP_", "ENV APP_PASSWORD=x PIP_", "has a secret"),
        ("HEALTHCHECK", "LABEL", "has no health check"),
        ("COPY translate ./translate", "COPY . .", "copies more than it names"),
        ("-c constraints.txt ", "", "installs unpinned packages"),
        ("RUN useradd", "RUN curl x | sh && useradd", "fetches or opens what it should not"),
        ('"--login", "/run/secrets/login"', "", "serves without a login"),
    ],
)
def test_a_worse_one_is_found_out(old, new, fault):
    assert old in TEXT
    assert fault in lint(TEXT.replace(old, new))


def test_all_that_is_copied_is_there():
    for rest in of(TEXT, "COPY"):
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_its_options_are_those_of_the_command(tmp_path):
    from pipelines.page.serving.settings import ServingSettings
    from translate.errors import ConfigurationError

    words = command_of(TEXT, "ENTRYPOINT") + command_of(TEXT, "CMD")
    options = dict(zip(words[2::2], words[3::2], strict=True))
    assert set(options) == {"--host", "--login", "--scratch-mb"}
    with pytest.raises(ConfigurationError, match="--login"):
        ServingSettings(host=options["--host"])
    settings = ServingSettings(
        host=options["--host"], login=Path(options["--login"]), scratch_mb=int(options["--scratch-mb"])
    )
    assert settings.port == int(of(TEXT, "EXPOSE")[0])
    tmpfs_gb = int(TEXT.split("--tmpfs /tmp:size=")[1].partition("g")[0])
    assert settings.scratch_mb < 1000 * tmpfs_gb  # what is kept between passes lies there


IGNORED = (ROOT / ".dockerignore").read_text()


def is_let_through(path: str, rules: str) -> bool:
    """By Docker's rules: a pattern is for a path and all below it, the last that fits decides, ! lets through."""
    places = [path, *(parent.as_posix() for parent in PurePosixPath(path).parents if parent.name)]
    let_through = True
    for rule in (line for line in rules.splitlines() if line and not line.startswith("#")):
        pattern = rule.removeprefix("!")
        inner = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(inner, place) for place in places):
            let_through = rule.startswith("!")
    return let_through


PRIVATE = (
    "checkpoints/mine/mine.onnx",
    "checkpoints/mine/checkpoints/last/model.safetensors",
    "checkpoints/x2-mine/report.html",
    "data/photos/train/me.jpg",
    "login.txt",
    ".git/config",
    ".venv/bin/python",
    "translate/data/__pycache__/photos.cpython-311.pyc",
)


def test_no_run_of_a_user_goes_into_the_image():
    assert not any(is_let_through(path, IGNORED) for path in PRIVATE)


@pytest.mark.parametrize(("old", "new"), [("*\n!py", "!py"), ("!checkpoints/x2\n", "!checkpoints\n")])
def test_looser_rules_let_one_through(old, new):
    assert old in IGNORED
    assert is_let_through("checkpoints/mine/mine.onnx", IGNORED.replace(old, new))


def test_what_is_copied_and_shipped_goes_in():
    shipped = re.findall(r"^!/(checkpoints/[\w.]+)/?$", (ROOT / ".gitignore").read_text(), re.MULTILINE)
    assert "checkpoints/x2" in shipped
    assert set(shipped) == set(re.findall(r"^!(checkpoints/.*)$", IGNORED, re.MULTILINE))
    copied = [source for rest in of(TEXT, "COPY") for source in rest.split()[:-1] if source != "checkpoints"]
    for path in [*copied, "translate/data/photos.py", *(f"{name}/README.md" for name in shipped)]:
        assert is_let_through(path, IGNORED), path


@pytest.mark.slow
def test_its_steps_work_outside_docker(tmp_path):
    """COPY and RUN with ENV in WORKDIR of a folder in the container's stead; ENTRYPOINT + CMD; then the HEALTHCHECK."""
    place = tmp_path / "container"
    working = place / of(TEXT, "WORKDIR")[-1].lstrip("/")
    environment = {**os.environ, **environment_of(TEXT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    copy_into(working)
    for step in of(TEXT, "RUN"):
        if not step.startswith("useradd"):  # this machine's users stay as they are; the next test has it
            words = " && ".join(shlex.join(moved(part, place)) for part in map(shlex.split, step.split("&&")))
            subprocess.run(
                words, shell=True, cwd=working, check=True, timeout=550, capture_output=True, env=environment
            )
    assert not installed(place) & {"torch", "torchvision", "kornia", "albumentations", "onnxruntime-gpu"}
    assert {"pixturn", "gradio", "onnxruntime"} <= installed(place)  # the control: what is there is seen
    login = tmp_path / "login"
    login.write_text("someone:a long password\n")
    port = "7861"
    command = moved([*command_of(TEXT, "ENTRYPOINT"), "--login", str(login), "--port", port], place)
    health = [word.replace("7860", port) for word in moved(health_of(TEXT), place)]
    server = subprocess.Popen(command, cwd=working, env=environment)
    try:
        assert becomes_healthy(health, server)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/gradio_api/info", timeout=10)
        assert refused.value.code == 401
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.skipif(not shutil.which("useradd") or os.geteuid() != 0, reason="only root may, where there is useradd")
def test_its_user_can_be_made_and_is_the_one_who_serves(tmp_path):
    """In a system of its own: three empty files."""
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group", "shadow"):
        (tmp_path / "etc" / name).touch()
    (step,) = [step for step in of(TEXT, "RUN") if step.startswith("useradd")]
    command, *options = shlex.split(step)
    subprocess.run([command, "--prefix", str(tmp_path), *options], check=True, capture_output=True)
    _, _, number, _, _, _, shell = (tmp_path / "etc" / "passwd").read_text().strip().split(":")
    assert number == of(TEXT, "USER")[-1]
    assert shell.endswith("nologin")


def environment_of(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for rest in of(text, "ENV") for word in shlex.split(rest))


def installed(place: Path) -> set[str]:
    """What pip put there, by name."""
    found = place.glob("opt/*/lib/python*/site-packages/*.dist-info")
    return {path.name.split("-")[0].lower().replace("_", "-") for path in found}


def test_every_instruction_is_run_or_looked_at():
    """FROM and EXPOSE are looked at, USER compared; all others are carried out above."""
    known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in steps(TEXT)} == known


def copy_into(folder: Path) -> None:
    folder.mkdir(parents=True)
    for rest in of(TEXT, "COPY"):
        *sources, target = rest.split()
        for source in sources:
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
                shutil.copytree(ROOT / source, folder / target, ignore=ignored)
            else:
                shutil.copy(ROOT / source, folder / target)


def moved(words: list[str], place: Path) -> list[str]:
    """A command with the container's places where they are here."""
    words = [re.sub(r"^/opt/", f"{place}/opt/", word) for word in words]
    return [sys.executable, *words[1:]] if words[0] == "python" else words


def becomes_healthy(health: list[str], server: subprocess.Popen) -> bool:
    ends_at = time.monotonic() + 120
    while time.monotonic() < ends_at and server.poll() is None:
        if subprocess.run(health, capture_output=True).returncode == 0:
            return True
        time.sleep(1)
    return False
