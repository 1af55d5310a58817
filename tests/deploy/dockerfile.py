"""Follows a Dockerfile in a fresh root of Debian packages, for a machine without Docker; needs root.

It knows the instructions that ours uses and refuses any other. A stage that is not Debian's runs on this
machine, in a folder. pip in the root has this machine's settings, as Docker's build would be given them.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

TOOLS = ("mmdebstrap", "unshare", "chroot", "npm")
SUITE = re.compile(r"debian:(\w+)-slim")
KNOWN = {"FROM", "ARG", "ENV", "RUN", "COPY", "WORKDIR", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
PIP_FILES = ("etc/pip.conf", "etc/xdg/pip")
OF_THE_NETWORK = ("etc/resolv.conf", "etc/hosts")


@dataclass(frozen=True)
class Instruction:
    """One of a Dockerfile, its lines joined."""

    name: str
    rest: str


def read(text: str) -> list[Instruction]:
    """All instructions of a Dockerfile; raises `ValueError` for one that is not known here."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    found = [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]
    unknown = {each.name for each in found} - KNOWN
    if unknown:
        raise ValueError(f"instructions that are not known here: {', '.join(sorted(unknown))}")
    return found


@dataclass
class Stage:
    """One FROM and what follows, being built in a folder.

    Attributes:
        root: the folder.
        inside: whether it is a root of its own, or a folder of this machine.
        env: what ENV and ARG have set.
        workdir: where the next instruction runs.
        user: who runs it.
        command: what CMD says,
        health: and HEALTHCHECK.
    """

    root: Path
    inside: bool
    env: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    workdir: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    health: str = ""

    def at(self, path: str) -> Path:
        """A path of the stage as one of this machine."""
        return self.root / str(Path(self.workdir) / path).lstrip("/")

    def shell(self, line: str) -> list[str]:
        """The command that runs a line in it, as its user, in a mount namespace that ends with it."""
        if not self.inside:
            return ["env", "-C", str(self.at(".")), "sh", "-ec", line]
        env = [f"{name}={value}" for name, value in self.env.items()]
        home = "/root" if self.user == "root" else f"/home/{self.user}"
        inner = ["env", "-i", f"HOME={home}", *env, "sh", "-ec", f"cd {shlex.quote(self.workdir)}; {line}"]
        if self.user != "root":
            inner = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *inner]
        mounts = [f"mount --rbind {path} {self.root}{path}" for path in ("/proc", "/dev")]
        mounts += [f"mount --bind {path} {self.root}{path}" for path in _pip_folders()]
        script = "; ".join([*mounts, shlex.join(["exec", "chroot", str(self.root), *inner])])
        return ["unshare", "--mount", "sh", "-ec", script]

    def run(self, line: str, timeout: float = 1500) -> str:
        """Run a line; returns what it said, raises `AssertionError` with it if it failed."""
        command = subprocess.Popen(
            self.shell(line),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            said, complained = command.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(command.pid, signal.SIGKILL)  # what it has started would go on by itself
            said, complained = command.communicate()
            complained += f"\nnot done after {timeout:.0f} s"
        assert command.returncode == 0, f"{line}\n{said[-3000:]}\n{complained[-3000:]}"
        return said


def build(dockerfile: Path, context: Path, work: Path, args: dict[str, str]) -> Stage:
    """Follow a Dockerfile to its end.

    Args:
        dockerfile: the file.
        context: the folder that COPY copies from.
        work: where stages are made.
        args: in place of what its ARGs say.

    Returns:
        The last stage.
    """
    stages: dict[str, Stage] = {}
    stage = Stage(work, inside=False)
    for step in read(dockerfile.read_text(encoding="utf-8")):
        match step.name:
            case "FROM":
                image, _, name = step.rest.partition(" AS ")
                stage = _start(image, work / (name or "last"))
                stages[name] = stage
            case "ARG":
                name, _, value = step.rest.partition("=")
                stage.env[name] = args.get(name, value)
            case "ENV":
                for pair in shlex.split(step.rest):
                    name, _, value = pair.partition("=")
                    stage.env[name] = value.replace("$PATH", stage.env["PATH"])
            case "WORKDIR":
                stage.workdir = step.rest
                stage.at(".").mkdir(parents=True, exist_ok=True)
                if stage.inside and stage.user != "root":
                    stage.run("true")  # the user can be there
            case "USER":
                stage.user = step.rest
            case "RUN":
                stage.run(step.rest)
            case "COPY":
                _copy(step.rest, stage, stages, context)
            case "CMD":
                stage.command = json.loads(step.rest)
            case "HEALTHCHECK":
                stage.health = step.rest.partition("CMD ")[2]
    return stage


def _start(image: str, root: Path) -> Stage:
    """A stage of an image: Debian's from its packages, any other as a folder."""
    root.mkdir(parents=True)
    suite = SUITE.fullmatch(image)
    if suite is None:
        return Stage(root, inside=False)
    made = ["mmdebstrap", "--variant=minbase", "--quiet", suite[1], str(root)]
    done = subprocess.run(made, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    for name in (*PIP_FILES, *OF_THE_NETWORK):
        source, target = Path("/") / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copyfile(source, target)
    for folder in _pip_folders():
        (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    stage = Stage(root, inside=True)
    stage.env |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    if "PIP_CERT" in stage.env:
        shutil.copyfile(stage.env["PIP_CERT"], root / "opt" / "pip.crt")
        stage.env["PIP_CERT"] = "/opt/pip.crt"
    return stage


def _copy(rest: str, stage: Stage, stages: dict[str, Stage], context: Path) -> None:
    words = rest.split()
    source = Stage(context, inside=False)
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")]
    *names, target = words
    into = stage.at(target)
    for name in names:
        found = source.root / name.lstrip("/")
        if found.is_dir():  # its contents, as Docker does
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*.draft")
            shutil.copytree(found, into, dirs_exist_ok=True, ignore=ignored)
        else:
            goal = into / found.name if target.endswith("/") else into
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, goal)


def _pip_folders() -> list[str]:
    """Folders of this machine that its pip takes packages from."""
    listed = subprocess.run(["python3", "-m", "pip", "config", "list"], capture_output=True, text=True)
    named = re.findall(r"(?:file://)?(/[\w./-]+)", listed.stdout)
    return sorted({path.removesuffix("/simple") for path in named if Path(path).is_dir()})
