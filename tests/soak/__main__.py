"""Thirty visitors for ten minutes, and one that misbehaves; then all leave, and the server is as it was.

    python -m tests.soak [--visitors 30] [--seconds 600] [--rest 100] [--output assets/results/soak.json]

It starts a lab of its own on a free port of this machine, visits it by Streamlit's own protocol (visitor.py;
no browser, so what is timed is from the message sent to the result received, not to what is drawn), and ends
by itself. Every result is compared with a direct call of the model, and every message that a visitor gets is
searched for the words of all others. Exit code 1: an error, a wrong or foreign result, memory that is not
flat, or sentences slower than the budget.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from app.limits import MOST_RUNS
from app.says.text import visible
from ltp_core import PrunedModel
from ltp_core.data.sentences import own_sentences
from ltp_core.results import stamp
from tests.browser.lab_benchmark import resident
from tests.conclude import conclude
from tests.hostile.server import held_bytes, lab
from tests.soak.misbehaves import misbehave
from tests.soak.visitor import Fault, Visitor

MODEL = "sst2"
PAGES = ("why", "compare", "evidence", "learn", "about")
THINKS = (6.0, 18.0)  # seconds between what a visitor does
SENTENCES = 6  # of a visitor
FILLINGS = (
    10,
    1000,
)  # words of the longest text in a file: one as long as the others, one longer than is read
# What the log says where a page or a run of ours has failed. Streamlit also logs what it makes of garbage.
OURS = ("Uncaught app execution", "a job failed")
BUDGET = 3000  # ms for a new sentence, the 95th percentile
FLAT = 0.05  # of memory, up or down
VISITORS = 30


@dataclass
class Seen:
    """What came of it.

    Attributes:
        errors: lines, the first of each kind with its number.
        foreign: messages with another visitor's words.
        wrong: results that a direct call contradicts.
        times: of what -> ms.
        done: of what -> how often.
    """

    errors: Counter = field(default_factory=Counter)
    foreign: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    times: dict = field(default_factory=dict)
    done: Counter = field(default_factory=Counter)

    def took(self, what, seconds):
        self.times.setdefault(what, []).append(1000 * seconds)
        self.done[what] += 1


@dataclass
class Person:
    """A visitor with sentences of their own, and what the model says to each."""

    number: int
    mark: str
    expected: dict  # text -> (tokens as they are shown, how many are left after each layer)

    @classmethod
    def make(cls, number, model, sentences):
        chance = random.Random(number)
        mark = "".join(chance.choices("bcdfghjklmnpqrstvwxz", k=12))  # no word, and in nobody else's text
        texts = [f"{text[:-1]} {mark}." for text in chance.sample(sentences, SENTENCES)]
        traces = {text: model.predict(text).trace for text in texts}
        shown = {
            text: ([visible(token) for token in trace.tokens], trace.alive) for text, trace in traces.items()
        }
        return cls(number, mark, shown)


async def attend(person, people, address, until, seen):
    """One visitor's time in the lab."""
    chance = random.Random(1000 + person.number)
    others = [other.mark.encode() for other in people if other is not person]
    visitor = Visitor(address)
    text = chance.choice(list(person.expected))
    try:
        await asyncio.sleep(chance.uniform(0, THINKS[0]))
        await visitor.enter(query=query(text))
        check(person, text, visitor, seen)
        while time.monotonic() < until:
            await think(visitor, chance.uniform(*THINKS), until)
            action = chance.choices((sentence, look_around, data_set, come_again), (6, 2, 1, 1))[0]
            try:
                text = await action(person, visitor, chance, text, seen)
            except Fault as fault:
                seen.errors[f"{action.__name__}: {fault}"[:200]] += 1
                visitor = await anew(visitor, text)
            overheard(person, visitor, others, seen)
    except Exception as error:  # a fault of this script, too, is one to be seen
        seen.errors[f"{type(error).__name__}: {error}"[:200]] += 1
    finally:
        await visitor.leave()


async def sentence(person, visitor, chance, text, seen):
    """Type another sentence on Explore."""
    if visitor.page != "":
        await visitor.run(page="")
    text = chance.choice([other for other in person.expected if other != text])
    began = time.perf_counter()
    await visitor.begin(text=text)
    await visitor.until(lambda: left_of(person, text, visitor) is not None)
    seen.took("new sentence", time.perf_counter() - began)
    await visitor.finished()
    check(person, text, visitor, seen)
    return text


async def look_around(person, visitor, chance, text, seen):
    """Another page."""
    page = chance.choice(PAGES)
    began = time.perf_counter()
    await visitor.run(page=page)
    seen.took("another page", time.perf_counter() - began)
    return text


async def data_set(person, visitor, chance, text, seen):
    """Upload a file of one's own sentences and run it; every third time leave before it has ended."""
    await visitor.own_file()
    if visitor.has("cancel_job") or not await send(person, visitor, chance.choice(FILLINGS), seen):
        return text
    began = time.perf_counter()
    await visitor.run(run_set=True)
    if chance.random() < 1 / 3:
        return await come_again(person, visitor, chance, text, seen)
    await ended(person, visitor)
    seen.took("data set", time.perf_counter() - began)
    return text


async def send(person, visitor, words, seen):
    """Upload one's own sentences and a text of so many words -> whether the file was taken."""
    rows = "\n".join(f'"{one}"' for one in person.expected)
    filling = f"\n{person.mark} " + "padding " * words
    status = await visitor.upload("upload", f"{person.mark}.csv", f"sentence\n{rows}{filling}".encode())
    seen.done["upload" if status < 300 else f"upload refused with {status}"] += 1
    return status < 300


async def ended(person, visitor):
    """Wait for the result of one's own file."""
    while await visitor.again():
        pass
    if f"{person.mark}.csv" not in visitor.text():
        raise Fault(f"no result of one's own file: {visitor.text()[-300:]}")


async def come_again(person, visitor, chance, text, seen):
    """Reload the page: another connection, the same browser and address."""
    page, job = visitor.page, visitor.has("cancel_job")
    await visitor.leave()
    visitor.elements.clear()
    await visitor.enter(query=visitor.query, page=page)
    if job and not (visitor.has("cancel_job") or f"{person.mark}.csv" in visitor.text()):
        raise Fault(f"the run is not found again after a reload: {visitor.text()[-300:]}")
    seen.done["reload with a run" if job else "reload"] += 1
    return text


async def think(visitor, seconds, until):
    """Wait, and do meanwhile what a page asks for by itself."""
    ends = min(time.monotonic() + seconds, until)
    while time.monotonic() < ends:
        if not await visitor.again():
            await asyncio.sleep(min(0.5, max(ends - time.monotonic(), 0)))


async def anew(visitor, text):
    """After a fault: another tab of the same browser."""
    await visitor.leave()
    fresh = Visitor(visitor.address, cookies=visitor.cookies)
    await fresh.enter(query=query(text))
    return fresh


def shown(trace):
    """Tokens as the pages show them."""
    return [visible(token) for token in trace.tokens]


def query(text):
    """The address of a sentence."""
    return urlencode({"model": MODEL, "text": text})


def left_of(person, text, visitor):
    """Tokens left after each layer as the page is told to draw them; None while it draws another text."""
    for data in visitor.data():
        found = json.loads(data) if data else {}
        if "kept" in found and found.get("tokens") == person.expected[text][0]:
            return tuple(map(sum, found["kept"]))
    return None


def check(person, text, visitor, seen):
    """Compare what is on the page with what the model says."""
    found, expected = left_of(person, text, visitor), person.expected[text][1]
    if found != expected:
        seen.wrong.append(f"visitor {person.number}: tokens left {found}, not {expected}")
    seen.done["results compared"] += 1


def overheard(person, visitor, others, seen):
    """Search what came for the words of all others."""
    for message in visitor.heard:
        for mark in others:
            if mark in message:
                seen.foreign.append(f"visitor {person.number} got {mark.decode()}")
    visitor.forget()


async def soak(address, pid, options, seen):
    """All visits, and the server's memory before, during and after them."""
    model = PrunedModel.from_pretrained(MODEL)
    sentences = own_sentences()
    people = [Person.make(number, model, sentences) for number in range(options.visitors)]
    warm = Seen()
    await asyncio.gather(*(attend_once(person, address, warm) for person in people[:MOST_RUNS]))
    await asyncio.sleep(options.rest)
    before, trail, rude = resident(pid), [], Counter()
    until = time.monotonic() + options.seconds

    async def watch():
        while time.monotonic() < until:
            trail.append(resident(pid))
            await asyncio.sleep(2)

    visits = (attend(person, people, address, until, seen) for person in people)
    await asyncio.gather(watch(), misbehave(address, until, rude), *visits)
    await asyncio.sleep(options.rest)
    after = resident(pid)
    return {
        "before_mb": before // 2**20,
        "peak_mb": max(trail) // 2**20,
        "after_mb": after // 2**20,
        "change": round(after / before - 1, 4),
        "files_held_mb": round(held_bytes(address) / 2**20, 1),
    }, rude


async def attend_once(person, address, seen):
    """Every page and both kinds of files once: after it, what stays for good is there."""
    visitor = Visitor(address)
    await visitor.enter(query=query(next(iter(person.expected))))
    chance, text = random.Random(0), next(iter(person.expected))
    for page in PAGES:
        await visitor.run(page=page)
    for _ in range(5):
        text = await sentence(person, visitor, chance, text, seen)
    for words in FILLINGS:
        await visitor.own_file()
        await send(person, visitor, words, seen)
        await visitor.run(run_set=True)
        await ended(person, visitor)
    await visitor.leave()


def summary(milliseconds):
    """Median, 95th percentile and the slowest."""
    ordered = sorted(milliseconds)
    return {
        "p50": round(statistics.median(ordered)),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]),
        "slowest": round(ordered[-1]),
        "samples": len(ordered),
    }


def faults(found):
    """What of the figures is not as it should be, in lines."""
    lines = [f"error, {number} times: {line}" for line, number in found["errors"].items()]
    lines += [
        f"{len(found[kind])} {kind}: {found[kind][0]}" for kind in ("cross_talk", "wrong") if found[kind]
    ]
    sentences = found["milliseconds"].get("new sentence")
    if sentences is None:
        lines.append("nobody has typed a sentence")
    elif sentences["p95"] > BUDGET:
        lines.append(f"a new sentence takes {sentences['p95']} ms (p95), more than {BUDGET}")
    lines += [
        f"the server's log says {times} times: {line}" for line, times in found["logged"].items() if times
    ]
    if abs(found["memory"]["change"]) > FLAT:
        lines.append(f"memory at rest changed by {100 * found['memory']['change']:.1f} %")
    if found["memory"]["files_held_mb"]:
        lines.append("files of visitors who have left are still there")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rest", type=float, default=100, help="seconds before and after, nobody there")
    parser.add_argument("--output", type=Path, help="write the figures there")
    options = parser.parse_args()
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, lab(folder) as (address, process):
        memory, rude = asyncio.run(soak(address, process.pid, options, seen))
        alive = process.poll() is None
        log = (Path(folder) / "lab.log").read_text()
    found = {
        "command": " ".join(["python -m tests.soak", *sys.argv[1:]]),
        **stamp(),
        "cores": os.cpu_count(),
        "visitors": options.visitors,
        "seconds": options.seconds,
        "thinks_seconds": list(THINKS),
        "done": dict(seen.done.most_common()),
        "milliseconds": {what: summary(times) for what, times in sorted(seen.times.items())},
        "budget_ms": BUDGET,
        "errors": dict(seen.errors.most_common(20)) | ({} if alive else {"the server has died": 1}),
        "cross_talk": seen.foreign[:20],
        "wrong": seen.wrong[:20],
        "misbehaving": dict(rude.most_common()),
        "logged": {line: log.count(line) for line in OURS},
        "memory": memory,
    }
    conclude(found, faults(found), options.output)


if __name__ == "__main__":
    main()
