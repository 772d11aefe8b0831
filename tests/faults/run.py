"""One run: an installation, load, faults one after the other, and the judgement."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .broken import NOT_DURABLE, remove_locks
from .checker import DUMP, SPENT, Checker, Findings
from .dump import dump
from .errors import HarnessError
from .installation import DURABLE, Installation, Say, installed
from .kinds import FAULTS, Scene, kill_postmaster
from .load import Load
from .plan import Options, plan_faults, plan_scenes
from .scenes import SCENES


@dataclass
class Outcome:
    """One installation's run. notes: what a scene saw beside the records. untested: why it could not be tried."""

    name: str
    findings: Findings | None = None
    settings: dict[str, str] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    felt: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    untested: str | None = None
    restarts: int = 0
    seconds: float = 0.0


@dataclass
class Result:
    """What a whole run came to."""

    options: Options
    seed: int
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return all(outcome.findings is None or outcome.findings.is_clean for outcome in self.outcomes)


async def run(options: Options, seed: int, say: Say) -> Result:
    """Do what the options want."""
    result = Result(options, seed)
    plan = plan_faults(options, random.Random(f"{seed} plan"))
    scenes = plan_scenes(options)
    if plan or options.broken or not scenes:
        result.outcomes.append(await run_main(options, seed, plan, say))
    for name in scenes:
        say(f"scene {name}")
        result.outcomes.append(await run_scene(options, name, seed, say))
    return result


async def run_main(options: Options, seed: int, plan: list[str], say: Say) -> Outcome:
    """The installation on an ordinary disk, under the plan's faults."""
    outcome = Outcome(f"broken {options.broken}" if options.broken else "main")
    chance = random.Random(f"{seed} {outcome.name}")
    settings = NOT_DURABLE if options.broken == "durability" else {}
    with _folder(options, outcome.name) as folder:
        async with installed(folder, say, settings=settings) as installation:
            outcome.settings = await installation.read_settings()
            _assert_durable(outcome.settings, except_commit=bool(settings))
            if options.broken == "lock":
                await remove_locks(installation)
            load = Load(installation, folder, chance, asks_with_id=options.broken != "request-id")
            with _timed(outcome):
                async with load.running() as visitor:
                    scene = Scene(installation, chance, visitor, longest_stop=1.0 if options.form == "short" else 5.0)
                    await _inflict(plan, options.claims, load, scene, outcome, say)
            if options.broken == "durability":
                # Earlier commits that were lost left coins to be claimed again, and "twice" hides "absent".
                await kill_postmaster(scene)
                await installation.quiet()
            await _judge(outcome, installation, load, folder)
            outcome.felt = scene.felt
    say(f"{outcome.name}: {'clean' if outcome.findings and outcome.findings.is_clean else 'FAULTS FOUND'}")
    return outcome


async def run_scene(options: Options, name: str, seed: int, say: Say) -> Outcome:
    """A scene on an installation of its own."""
    outcome = Outcome(name)
    scene = SCENES[name]
    if reason := scene.missing():
        say(f"NOT TESTED: {name}: {reason}")
        outcome.untested = reason
        return outcome
    chance = random.Random(f"{seed} {name}")
    with _folder(options, name) as folder, scene.prepared(folder) as cluster:
        async with installed(folder, say, cluster=cluster, gateways=1) as installation:
            outcome.settings = await installation.read_settings()
            _assert_durable(outcome.settings)
            load = Load(installation, folder, chance, asks_with_id=True)
            with _timed(outcome):
                async with load.running(senders=8, sql_senders=2) as visitor:
                    told = await scene.play(installation, load, visitor)
            outcome.done[name] += 1
            outcome.notes = told.notes
            await _judge(outcome, installation, load, folder)
            for blame in told.blames:
                assert outcome.findings
                outcome.findings.blame("guard", blame)
    say(f"{name}: {'clean' if outcome.findings and outcome.findings.is_clean else 'FAULTS FOUND'}")
    return outcome


async def _inflict(plan: list[str], claims: int, load: Load, scene: Scene, outcome: Outcome, say: Say) -> None:
    """The faults, spread over the claims: each waits until claims go on after the one before."""
    told = time.monotonic()
    await load.until(min(50, claims))
    for place, name in enumerate(plan):
        share = (place + scene.chance.random()) / len(plan)
        await load.until(max(load.world.claims + 1, int(claims * share)))
        await FAULTS[name](scene)
        outcome.done[name] += 1
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"{load.world.claims} of {claims} claims, {place + 1} of {len(plan)} faults, last {name}")
    while load.world.claims < claims:
        await load.until(min(claims, load.world.claims + 5000))
        say(f"{load.world.claims} of {claims} claims")


async def _judge(outcome: Outcome, installation: Installation, load: Load, folder: Path) -> None:
    await dump(installation, folder)
    outcome.findings = await asyncio.to_thread(lambda: Checker(folder).judge())
    outcome.reasons = load.world.reasons
    outcome.restarts = installation.restarts


def _assert_durable(settings: dict[str, str], except_commit: bool = False) -> None:
    wanted = DURABLE | ({"synchronous_commit": "off"} if except_commit else {})
    if settings != wanted:
        raise HarnessError(f"the server's settings are {settings}, not {wanted}")


@contextlib.contextmanager
def _timed(outcome: Outcome) -> Iterator[None]:
    started = time.monotonic()
    yield
    outcome.seconds = time.monotonic() - started


@contextlib.contextmanager
def _folder(options: Options, name: str) -> Iterator[Path]:
    """A folder for an installation and its records; the records are kept where --keep says."""
    folder = Path(tempfile.mkdtemp(prefix="aqm-faults-"))
    # The server's user must get through to its own folder.
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if options.keep:
            kept = options.keep / name.replace(" ", "-")
            kept.mkdir(parents=True, exist_ok=True)
            for path in [
                *folder.glob("*.jsonl"),
                *folder.glob("*.log"),
                *folder.glob("*/postgresql.log"),
                folder / DUMP,
                folder / SPENT,
            ]:
                if path.exists():
                    shutil.copy(path, kept)
        shutil.rmtree(folder, ignore_errors=True)
