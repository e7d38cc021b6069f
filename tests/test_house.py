"""The rules of the house that no other tool looks after."""

import ast
import functools
import graphlib
import importlib
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 400
MOST_LINES_OF_STORIES = 600

# From the ground floor up: a room may import the rooms above it in this list, no other.
FLOORS = (
    "keys",
    "protocol",
    "device.ports",
    "device.gs1",
    "device.sight",
    "device.drivers",
    "device.decode",
    "device.payment",
    "device.slips",
    "device.ears",
    "device.listening",
    "device.watching",
    "device.guide",
    "device.echoes",
    "device.lighting",
    "device.feedback",
    "device.voice",
    "device.uplink",
    "device.server",
    "device.config",
    "device.identity",
    "device.devices",
    "device.terminal",
    "settlement",
    "provisioning",
    "wallet",
    "tillwave",
)
# Neighbours that must not know each other, though the order alone would allow it.
APART = {
    "device.payment": ("device.drivers", "device.decode"),
    "device.uplink": ("device.drivers", "device.decode"),
    "device.server": ("device.drivers", "device.decode", "device.payment.journal"),
    "settlement": ("device",),
    "provisioning": ("device", "settlement"),
    "wallet": ("device", "settlement", "provisioning"),
}
PACKAGES = ("keys", "protocol", "device", "settlement", "provisioning", "wallet", "tillwave")

# What a light terminal pays for only if it uses it.
HEAVY = {
    "numpy",
    "PIL",
    "sqlalchemy",
    "httpx",
    "escpos",
    "sounddevice",
    "uvicorn",
    "starlette",
    "gpiozero",
    "picamera2",
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
SCRIPTS = sorted(path for path in [*(ROOT / "scripts").iterdir(), ROOT / ".ci/run"] if path.is_file())


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(tree: ast.AST, module: str, *, at_once: bool) -> Iterator[str]:
    """Give what a module imports; with `at_once` only what happens when it is itself imported."""
    for node in ast.iter_child_nodes(tree):
        if at_once and (is_for_types(node) or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")
            above = above if MODULES[module].name == "__init__.py" else above[:-1]
            base = above[: len(above) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from (
                f"{source}.{alias.name}" if f"{source}.{alias.name}" in MODULES else source for alias in node.names
            )
        else:
            yield from imports_of(node, module, at_once=at_once)


@functools.cache
def imports(module: str, *, at_once: bool = False) -> tuple[str, ...]:
    return tuple(dict.fromkeys(imports_of(ast.parse(MODULES[module].read_text()), module, at_once=at_once)))


def lives_in(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def floor_of(module: str) -> int | None:
    return next((floor for floor, room in enumerate(FLOORS) if lives_in(module, room)), None)


def text_files() -> Iterator[Path]:
    passed_over = {"node_modules", "build", "dist", "__pycache__"}
    for folder, folders, files in os.walk(ROOT):
        inside = Path(folder)
        folders[:] = [
            name
            for name in folders
            if name not in passed_over
            and not name.endswith(".egg-info")
            and (not name.startswith(".") or name == ".ci")
        ]
        for name in files:
            is_text = (inside / name).suffix not in {".png", ".jpg", ".webp", ".wav", ".pyc"}
            if is_text and name != ".git":  # a file that names another folder, where the tree is one of several
                yield inside / name


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_rooms_below_it(module: str):
    own = floor_of(module)
    if own is None:
        assert module in PACKAGES, f"{module}: give the new room its floor in FLOORS"
        assert not [name for name in imports(module) if floor_of(name) is not None]
        return
    for name in imports(module):
        other = floor_of(name)
        assert other is None or other <= own, f"{module} imports {name}, which is above it"
    for room, strangers in APART.items():
        if lives_in(module, room):
            met = [name for name in imports(module) for stranger in strangers if lives_in(name, stranger)]
            assert not met, f"{module} must not know {met}"


def test_the_plan_of_the_house_names_modules_that_are_there():
    named = set(re.findall(r"\b\w+\.py\b", (ROOT / "docs" / "architecture.md").read_text("utf-8")))
    assert len(named) > len(FLOORS)
    assert not named - {path.name for path in MODULES.values()}


def test_there_are_no_circles():
    graph = {
        module: {name for name in imports(module, at_once=True) if name in MODULES and name != module}
        for module in MODULES
    }
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "start", ["device.terminal", "device.config", "device.payment.counter", "device.uplink.link", "device.drivers.base"]
)
def test_what_a_terminal_always_imports_is_light(start: str):
    if start not in MODULES:
        pytest.skip(f"there is no {start}")
    seen, waiting, heavy = set(), [start], set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        for name in imports(module, at_once=True):
            if name.split(".")[0] in HEAVY - {"starlette", "uvicorn"}:
                heavy.add(f"{module} imports {name}")
            parents = [".".join(name.split(".")[: end + 1]) for end in range(name.count(".") + 1)]
            waiting += [parent for parent in parents if parent in MODULES]
    assert not heavy


@pytest.mark.parametrize(
    "path", sorted(p for p in text_files() if p.suffix == ".py"), ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_module_is_short_enough_to_be_one_idea(path: Path):
    most = MOST_LINES_OF_STORIES if path.is_relative_to(ROOT / "tests") else MOST_LINES
    assert len(path.read_text().splitlines()) <= most


def test_nothing_points_at_one_machine():
    ours = re.compile(r"(?<![\w.])/(?:work|root)/|\.\./shared|/tmp/tw|artifact-registry")
    guilty = []
    for path in text_files():
        inside = path.relative_to(ROOT)
        if inside.parts[0] in {"tests", "benchmarks"}:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if ours.search(line):
                guilty.append(f"{inside}:{number}: {line.strip()}")
    assert guilty == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_whole_and_can_be_started(script: Path):
    first, *_ = script.read_text().splitlines()
    assert first == "#!/usr/bin/env bash"
    assert os.access(script, os.X_OK)
    assert re.search(r"^set -[eu]*uo pipefail$", script.read_text(), re.MULTILINE)
    verdict = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    assert (verdict.returncode, verdict.stderr) == (0, "")


def test_setup_refuses_a_word_that_it_does_not_know():
    verdict = subprocess.run([ROOT / "scripts/setup", "moon"], capture_output=True, text=True, check=False)
    assert verdict.returncode == 2
    assert "scripts/setup run" in verdict.stderr


def locked(name: str) -> dict[str, list[Requirement]]:
    lines = (ROOT / f"requirements/{name}.txt").read_text().splitlines()
    found: dict[str, list[Requirement]] = {}
    for line in lines:
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.removesuffix(" \\"))
            found.setdefault(requirement.name, []).append(requirement)
    return found


@pytest.mark.parametrize("name", ["lock", "build", "run", "test", "pi", "fuzz"])
def test_everything_that_pip_takes_is_held_by_its_hash(name: str):
    text = (ROOT / f"requirements/{name}.txt").read_text()
    assert not re.search(r"^--|://", text, re.MULTILINE), "no index, no address: pip's own configuration decides"
    for entry in re.split(r"\n(?=\S)", text):
        if not entry.startswith("#"):
            assert re.match(r"[a-z0-9-]+==\S+ .*\\\n    --hash=sha256:[0-9a-f]{64}", entry), entry[:80]


def test_the_locks_hold_what_the_project_asks_for():
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras, groups = document["project"]["optional-dependencies"], document["dependency-groups"]
    run = [*document["project"]["dependencies"], *extras["sound"], *extras["hid"]]
    wanted = {
        "run": run,
        "test": [*run, *extras["test"]],
        "fuzz": [*run, *extras["fuzz"]],
        "pi": [*run, *extras["printer"], *extras["pi"]],
        "build": [*groups["build"], *document["build-system"]["requires"]],
        "lock": groups["lock"],
    }
    for name, requirements in wanted.items():
        held = locked(name)
        for text in requirements:
            requirement = Requirement(text)
            versions = [str(pin.specifier).removeprefix("==") for pin in held.get(requirement.name, [])]
            assert versions, f"run scripts/lock: requirements/{name}.txt has no {requirement.name}"
            assert all(requirement.specifier.contains(version) for version in versions), (
                f"run scripts/lock: {text} {versions}"
            )


@pytest.mark.parametrize("name", ["test", "pi", "fuzz"])
def test_one_environment_can_serve_several_sets(name: str):
    run, other = locked("run"), locked(name)
    for package, pins in run.items():
        assert [str(pin) for pin in other[package]] == [str(pin) for pin in pins]


def pin_map() -> dict[str, tuple[int, int]]:
    """Give what hardware.md says: name of the part, BCM number, pin of the header."""
    rows = re.findall(r"^\| ([a-z ]+?) +\| BCM(\d+) +\| (\d+) +\|", (ROOT / "hardware.md").read_text(), re.MULTILINE)
    return {name: (int(bcm), int(physical)) for name, bcm, physical in rows}


def test_the_pin_map_is_what_the_driver_does():
    gpio = importlib.import_module("device.drivers.gpio")
    light = importlib.import_module("device.drivers.gpio_light")
    lamps = gpio.LampsOptions()
    driver = {
        "lamp ready": lamps.ready,
        "lamp working": lamps.working,
        "lamp trouble": lamps.trouble,
        "illumination": light.IlluminationOptions().pin,
        "aim light": light.AimOptions().pin,
        "buzzer": gpio.BuzzerOptions().pin,
        "button": gpio.ButtonOptions().pin,
        "tamper": gpio.TamperOptions().pin,
    }
    assert {name: bcm for name, (bcm, _) in pin_map().items()} == driver


def test_the_pin_map_counts_the_header_rightly():
    board = importlib.import_module("gpiozero.pins.pi").PiBoardInfo.from_revision(0xC03111)
    for name, (bcm, physical) in pin_map().items():
        assert f"GPIO{bcm}" in board.headers["J8"].pins[physical].names, name


def test_the_settings_in_hardware_md_are_taken_by_the_drivers():
    registry = importlib.import_module("device.drivers.registry")
    blocks = re.findall(r"^```toml\n(.*?)^```", (ROOT / "hardware.md").read_text(), re.MULTILINE | re.DOTALL)
    devices = [device for block in blocks for device in tomllib.loads(block)["devices"]]
    assert {device["kind"] for device in devices} == set(registry.KINDS)
    for device in devices:
        driver = registry.find_driver(device["kind"], device["driver"])
        registry.convert_options(driver.Options, device["name"], device["options"])


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say():
    verdict = subprocess.run(["shellcheck", *SCRIPTS], capture_output=True, text=True, check=False)
    assert verdict.stdout == ""
