"""A slow student who misses what can be missed, through every lesson: how long each takes, and no dead end.

    python -m tests.browser.walk [--lessons time,int8] [--output assets/results/lessons.json]

The script predicts without thought (the second answer), moves a line twice to no use, reads the hint, lets
itself be shown, and reads why. Nobody waits for it to read: what comes into view is counted in words, once,
at a slow pace for a foreign language; thinking and each act of the hand have their seconds; what the lab
takes to answer is measured. Exit code 1: a lesson that cannot be finished, or takes longer than the five
minutes that each may.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from app.lessons import LESSONS
from ltp_core.results import stamp
from tests.browser.lab import PATIENCE, launch, server, settle, slider
from tests.conclude import conclude

WORDS_A_MINUTE = 130
THINKS = 20.0  # seconds before a prediction
ACTS = 6.0  # seconds for a drag or a press, with finding where
MOST = 5.0  # minutes
# What is read, in the page's order; the rows of the stage are looked at, which THINKS has.
READ = (
    ".st-key-ways h2",
    ".st-key-coach",
    "[data-testid=stage-headline]",
    "[data-testid=stage-answer]",
    "[data-testid=stage-time]",
)


class Student:
    """One who walks through a lesson.

    Attributes:
        words: read so far.
        acts: of the hand.
        waited: seconds for the lab.
    """

    def __init__(self, page: Page):
        self.page = page
        self.words, self.acts, self.waited = 0, 0, 0.0
        self._known: set[str] = set()

    def read(self) -> None:
        """All lines that are new."""
        for place in READ:
            for text in self.page.locator(place).all_inner_texts():
                for line in {part.strip() for part in re.split(r"\n|(?<=[.!?:]) ", text)} - self._known:
                    self._known.add(line)
                    self.words += len(re.findall(r"\w+", line))

    def act(self, what: Callable[[], Any]) -> None:
        """Do something, and wait until the lab has done its part."""
        began = time.perf_counter()
        what()
        settle(self.page)
        self.waited += time.perf_counter() - began
        self.acts += 1
        self.read()

    def press(self, key: str) -> bool:
        """Press a button of the lesson, if it is there."""
        button = self.page.locator(f".st-key-{key} button")
        if not button.count():
            return False
        self.act(button.first.click)
        return True

    @property
    def finished(self) -> bool:
        """Whether the reason stands there."""
        return bool(self.page.locator(".st-key-coach").get_by_text("Why?", exact=False).count())

    @property
    def minutes(self) -> float:
        """All of it."""
        return self.words / WORDS_A_MINUTE + (THINKS + ACTS * self.acts + self.waited) / 60


def walk(page: Page, address: str, name: str) -> tuple[dict[str, Any], list[str]]:
    """Walk through one lesson -> what it took, and what was wrong with it."""
    lesson = LESSONS[name]
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/learn?lesson={name}")
    page.locator(".st-key-coach").wait_for()
    settle(page)
    student = Student(page)
    student.read()
    predict(student, lesson.marks)
    for _ in range(2):
        if student.finished:
            break
        student.act(lambda: slider(page, 2).press("ArrowUp"))
    faults = []
    if not student.finished and lesson.action == "Look":
        student.act(page.locator(".st-key-stage .named button").first.click)
    if not student.finished and not student.press("show_me"):
        faults.append(f"{name}: two misses, and nothing is shown")
    if not student.finished and lesson.measures and not student.press("lesson_measure"):
        faults.append(f"{name}: nothing measures")
    if not student.finished:
        faults.append(f"{name}: it cannot be finished")
    on = page.locator(".st-key-next button")
    if on.get_attribute("kind") != "primary":
        faults.append(f"{name}: no way on after its end")
    if student.minutes > MOST:
        faults.append(f"{name}: {student.minutes:.1f} minutes")
    row = {
        "minutes": round(student.minutes, 1),
        "words": student.words,
        "acts": student.acts,
        "waited_seconds": round(student.waited, 1),
        "ends": page.locator(".st-key-coach .notice").first.inner_text(),
    }
    return row, faults


def predict(student: Student, marks: bool) -> None:
    """Answer the question without thought: with the second option, or with the first words."""
    page = student.page
    if not marks:
        return student.act(page.locator(".st-key-coach [data-testid=stRadio] label").nth(1).click)
    button = page.locator(".st-key-marked button")
    wanted = int(re.findall(r"of (\d+)\)", button.inner_text())[0])
    for place in range(wanted):

        def mark(place: int = place) -> None:
            page.locator(".st-key-coach [data-testid=stButtonGroup] button").nth(place).click()
            button.filter(has_text=f"({place + 1} of").wait_for()

        student.act(mark)
    return student.act(button.click)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lessons", default=",".join(LESSONS), help="only these, separated by commas")
    parser.add_argument("--address", help="a lab that is already running")
    parser.add_argument("--output", type=Path, help="write the figures there")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    faults: list[str] = []
    with (
        nullcontext(options.address) if options.address else server() as address,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        for name in options.lessons.split(","):
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            found[name], wrong = walk(page, address, name)
            faults += wrong
            print(f"{name}: {found[name]['minutes']} minutes", file=sys.stderr, flush=True)
            page.context.close()
        browser.close()
    pace = {"words_a_minute": WORDS_A_MINUTE, "thinks_seconds": THINKS, "acts_seconds": ACTS}
    command = " ".join(["python -m tests.browser.walk", *sys.argv[1:]])
    conclude({"command": command, **stamp(), **pace, "lessons": found}, faults, options.output)


if __name__ == "__main__":
    main()
