"""The Dockerfile: followed in a fresh root of Debian packages, where the lab then runs without a network."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy import dockerfile
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
STEPS = dockerfile.read((ROOT / "Dockerfile").read_text(encoding="utf-8"))
SPACE = (ROOT / "deploy" / "space" / "README.md").read_text(encoding="utf-8")


def steps(name):
    return [step.rest for step in STEPS if step.name == name]


def test_it_runs_as_somebody_and_says_whether_it_is_well():
    assert STEPS[-1].name == "CMD" and steps("USER") == ["lab"]
    assert "useradd --create-home --uid 1000 lab" in " ".join(steps("RUN"))  # as whom a Space runs it
    (health,), (port,) = steps("HEALTHCHECK"), steps("EXPOSE")
    command = json.loads(steps("CMD")[0])
    assert f":{port}/_stcore/health" in health and command[command.index("--port") + 1] == port


def test_everything_that_it_copies_is_there_and_is_all_that_an_installation_needs():
    copied = [words for step in steps("COPY") if not step.startswith("--from") for words in step.split()[:-1]]
    assert all((ROOT / name).exists() for name in some(copied))
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert not {name.partition("/")[0] for name in copied} & set(ignored)
    (project,) = re.findall(r"^PROJECT = (\(.*\))$", (ROOT / "setup.py").read_text(), re.MULTILINE)
    assert set(ast.literal_eval(project)) <= set(copied)  # what a wheel holds


def test_only_public_hosts_are_named():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([\w.\-]+)", text)) == {"download.pytorch.org", "localhost", "127.0.0.1"}


def test_the_space_has_what_the_hub_reads():
    found = dict(line.split(": ", 1) for line in SPACE.split("---\n")[1].splitlines())
    assert found["sdk"] == "docker" and found["app_port"] == steps("EXPOSE")[0]
    assert found["license"] == "apache-2.0" and len(found["short_description"]) <= 60


def test_an_instruction_that_is_not_followed_is_refused():
    with pytest.raises(ValueError, match="ONBUILD"):
        dockerfile.read("FROM debian:bookworm-slim\nONBUILD RUN true\n")


# The real thing.

MISSING = [tool for tool in dockerfile.TOOLS if shutil.which(tool) is None]
WHY = f"needs {', '.join(MISSING)}" if MISSING else "needs root" if os.geteuid() else ""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A built root; TORCH_INDEX of the environment stands in for the ARG, as `--build-arg` does."""
    args = {"TORCH_INDEX": os.environ["TORCH_INDEX"]} if "TORCH_INDEX" in os.environ else {}
    work = tmp_path_factory.mktemp("image")
    yield dockerfile.build(ROOT / "Dockerfile", ROOT, work / "stages", args)
    shutil.rmtree(work / "stages")  # several gigabytes


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.skipif(bool(WHY), reason=WHY)
def test_the_lab_runs_in_a_fresh_root_without_a_network(image):
    assert image.user == "lab" and image.run("id -u").strip() == "1000"
    image.run("! touch /opt/ltp/written 2>/dev/null")  # what it runs is not its own to change
    image.run("test -s /opt/web/ort.wasm.bundle.min.mjs")
    assert "False" in image.run("python3 -c 'import torch; print(torch.cuda.is_available())'")

    # In a namespace without a network the container's own command and health check are run.
    visit = [sys.executable, "-m", "tests.deploy.visit", "http://127.0.0.1:7860"]
    script = f"""
ip link set lo up
! getent ahosts deb.debian.org
{shlex.join(image.shell(f"exec {shlex.join(image.command)}"))} > {image.root.parent}/lab.log 2>&1 &
lab=$!
trap 'kill $lab; wait $lab || true' EXIT
for second in $(seq 90); do
  if {shlex.join(image.shell(image.health))} 2>/dev/null; then break; fi
  kill -0 $lab; sleep 1
done
{shlex.join(image.shell(image.health))}
{shlex.join(visit)}
"""
    done = subprocess.run(
        ["unshare", "--net", "bash", "-euc", script], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    log = (image.root.parent / "lab.log").read_text(encoding="utf-8")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log}"
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["tokens"] > 5 and said["votes"] == 1 and "Traceback" not in log
