"""A class of a hundred phones that vote within ten seconds of the question, while the teacher goes on.

    python -m tests.poll [--voters 100] [--seconds 10] [--output assets/results/poll.json]

It starts a lab of its own on a free port of this machine and ends by itself. Each phone is a browser with a
connection and a cookie of its own, in a thread: it opens the page, looks at the room as often as the page's
script does, and votes at a moment drawn by chance. Meanwhile the teacher's page reads sentences, one after
another. Phones and server share the machine's cores. Exit code 1: an error, a vote that is not counted, or
votes slower than the budget.
"""

import argparse
import asyncio
import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from ltp_core.data.sentences import own_sentences
from ltp_core.results import stamp
from tests.conclude import conclude
from tests.hostile.server import lab
from tests.soak.visitor import Visitor

VOTERS = 100
WITHIN = 10.0  # seconds of the question
OPENS = 5.0  # seconds in which all open the page
LOOKS = (2.5, 5.0)  # seconds between two looks, as app/poll/phone.js
BUDGET = 1000  # ms for a vote, the 95th percentile
QUESTIONS = (
    ("What will the model say?", ["negative", "positive"], False),
    ("Which words go?", [f"word {number}" for number in range(24)], True),
)


@dataclass
class Seen:
    """What came of it: milliseconds of what, errors, and sentences that the teacher's page has read."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    sentences: int = 0

    def took(self, what, began):
        self.times.setdefault(what, []).append(1000 * (time.perf_counter() - began))


class Phone:
    """One browser: a connection that stays, and the cookie it was given."""

    def __init__(self, address):
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self._cookie = ""

    def ask(self, path, body=None, **headers):
        """The JSON that comes, or the text; raises `RuntimeError` for a refusal."""
        content = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Cookie": self._cookie, **headers}
        method = "GET" if body is None else "POST"
        try:
            self._connection.request(method, path, content, sent)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()  # it was idle, and closed: a browser opens another, too
            self._connection.request(method, path, content, sent)
            answer = self._connection.getresponse()
        text = answer.read()
        self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:100]!r}")
        return (
            json.loads(text) if answer.getheader("Content-Type", "").startswith("application/json") else text
        )

    def close(self):
        self._connection.close()


def vote(address, code, number, asked, seen, within):
    """One student: comes, waits for each question, looks now and then, and votes."""
    chance = random.Random(number)
    phone = Phone(address)
    try:
        time.sleep(chance.uniform(0, OPENS))
        began = time.perf_counter()
        phone.ask(f"/poll/{code}")
        phone.ask(f"/poll/{code}/now")
        seen.took("open the page", began)
        for round_, event in enumerate(asked, start=1):
            while not event.wait(chance.uniform(*LOOKS)):
                look(phone, code, seen)
            moment = time.perf_counter() + chance.uniform(0, within)
            while (left := moment - time.perf_counter()) > 0:
                time.sleep(min(left, chance.uniform(*LOOKS)))
                room = look(phone, code, seen)
            chosen = [i for i in range(len(room["options"])) if chance.random() < 0.3]
            chosen = chosen if room["several"] else [chance.randrange(2)]
            began = time.perf_counter()
            phone.ask(f"/poll/{code}/vote", {"round": round_, "chosen": chosen})
            seen.took("vote", began)
    except Exception as error:
        seen.errors.append(f"{type(error).__name__}: {error}"[:200])
    finally:
        phone.close()


def look(phone, code, seen):
    began = time.perf_counter()
    room = phone.ask(f"/poll/{code}/now")
    seen.took("look", began)
    return room


async def teach(address, seen, until):
    """The teacher's page, which reads one sentence after another."""
    visitor = Visitor(address)
    sentences = own_sentences()
    try:
        await visitor.enter(query=urlencode({"model": "sst2", "text": sentences[0]}))
        while not until.is_set():
            text = sentences[(seen.sentences + 1) % len(sentences)]
            began = time.perf_counter()
            await visitor.run(text=text)
            seen.took("the teacher's new sentence", began)
            seen.sentences += 1
            await asyncio.sleep(2)
    except Exception as error:
        seen.errors.append(f"the teacher: {type(error).__name__}: {error}"[:200])
    finally:
        await visitor.leave()


def poll(address, voters, within, seen):
    """Open a room, ask all questions; returns the votes that were counted for each."""
    asked = [threading.Event() for _ in QUESTIONS]
    teacher, done = Phone(address), threading.Event()
    teacher.ask("/poll")
    opened = teacher.ask("/poll", {"origin": address, "question": question(*QUESTIONS[0])})
    code, key = opened["code"], {"X-Poll-Key": opened["key"]}
    page = threading.Thread(target=lambda: asyncio.run(teach(address, seen, done)))
    page.start()
    phones = [
        threading.Thread(target=vote, args=(address, code, number, asked, seen, within))
        for number in range(voters)
    ]
    for phone in phones:
        phone.start()
    time.sleep(OPENS + 1)
    counted = []
    for number, event in enumerate(asked):
        if number:
            teacher.ask(f"/poll/{code}/question", {"question": question(*QUESTIONS[number])}, **key)
        event.set()
        until = time.monotonic() + within + 30
        room = {"votes": 0}
        while room["votes"] < voters and time.monotonic() < until and any(p.is_alive() for p in phones):
            time.sleep(1)  # as often as the teacher's page does
            room = teacher.ask(f"/poll/{code}/room", **key)
        counted.append(room["votes"])
        teacher.ask(f"/poll/{code}/reveal", {}, **key)
    for phone in phones:
        phone.join(60)
    done.set()
    page.join(120)
    return counted


def question(asks, options, several):
    return {
        "name": asks,
        "asks": asks,
        "about": "A film.",
        "options": options,
        "right": [0],
        "several": several,
    }


def summary(milliseconds):
    """Median, 95th percentile and the slowest."""
    ordered = sorted(milliseconds)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
        "slowest": round(ordered[-1], 1),
        "samples": len(ordered),
    }


def faults(found):
    """What of the figures is not as it should be, in lines."""
    lines = [f"error: {line}" for line in found["errors"]]
    if found["votes_counted"] != [found["voters"]] * len(QUESTIONS):
        lines.append(f"{found['votes_counted']} votes of {found['voters']} were counted")
    if found["milliseconds"].get("vote", {"p95": float("inf")})["p95"] > BUDGET:
        lines.append(f"a vote takes more than {BUDGET} ms (p95)")
    return lines


def measure(voters, within):
    """Start a lab, hold a poll in it; returns the figures."""
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, lab(folder) as (address, _):
        counted = poll(address, voters, within, seen)
    return {
        **stamp(),
        "cores": os.cpu_count(),
        "voters": voters,
        "seconds": within,
        "votes_counted": counted,
        "sentences_meanwhile": seen.sentences,
        "milliseconds": {what: summary(times) for what, times in sorted(seen.times.items())},
        "budget_ms": BUDGET,
        "errors": seen.errors[:20],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voters", type=int, default=VOTERS)
    parser.add_argument("--seconds", type=float, default=WITHIN)
    parser.add_argument("--output", type=Path, help="write the figures there")
    options = parser.parse_args()
    command = " ".join(["python -m tests.poll", *sys.argv[1:]])
    found = {"command": command, **measure(options.voters, options.seconds)}
    conclude(found, faults(found), options.output)


if __name__ == "__main__":
    main()
