"""Lessons on the stage: predict, do, see, why. One file each; docs/teaching.md is for who teaches them."""

from app.lessons.breaks import Breaks
from app.lessons.clock import Clock
from app.lessons.early import Early
from app.lessons.guess import Guess
from app.lessons.int8 import Int8
from app.lessons.length import Length
from app.lessons.lesson import Lesson
from app.lessons.line import Line
from app.lessons.share import Share
from app.lessons.topk import TopKLesson
from app.says.text import shorten
from app.visitor.state import SAID

LESSONS: dict[str, Lesson] = {
    lesson.name: lesson
    for lesson in (Share(), Line(), Early(), Length(), TopKLesson(), Breaks(), Clock(), Int8(), Guess())
}
OLD = {"1": "share", "2": "line", "3": "early", "4": "time", "5": "breaks"}  # the lessons had numbers


def read_lesson(text: str) -> tuple[str, str | None]:
    """The name of a lesson from an address, "" for the list of all; and a notice if it cannot be used."""
    name = OLD.get(text, text)
    if name in LESSONS:
        return name, None
    return "", f"There is no lesson “{shorten(text, SAID)}” here. There is: {', '.join(LESSONS)}."


def after(name: str) -> Lesson | None:
    """The lesson that follows; None after the last."""
    names = list(LESSONS)
    following = names.index(name) + 1
    return LESSONS[names[following]] if following < len(names) else None
