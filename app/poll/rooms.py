"""Rooms: a short code, one question at a time, one vote a browser; bounded, and gone after two hours.

Nothing personal is kept: of a browser only a digest of its random cookie, under a key that is made with the
room and goes with it. Used on the server's event loop alone.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.serving.answering import Refused

LETTERS = "BCDFGHJKMNPQRTVWXZ"  # no vowels, so no words; none that look like another, or like a digit
CODE_LENGTH = 5  # 1.9 million codes
OVER = "There is no poll with this code, or it is over."


@dataclass(frozen=True)
class PollLimits:
    """What is held.

    Attributes:
        rooms: at once.
        voters: of a room: browsers that have voted in it.
        lifetime: seconds that a room lives.
        idle: seconds without a word from anybody after which a room makes place, where all are taken.
        of_one: rooms that one browser may have opened; its oldest makes place.
        options: of a question.
        characters: of a question, or an option.
    """

    rooms: int = 50
    voters: int = 200
    lifetime: float = 2 * 3600
    idle: float = 600
    of_one: int = 2
    options: int = 64
    characters: int = 1200


@dataclass(frozen=True)
class PollQuestion:
    """What is asked.

    Attributes:
        name: what the teacher's page knows it by.
        asks: the question.
        about: the text that the question is about.
        options: to choose from.
        right: which of them are, counted from 0.
        several: whether any number of them may be chosen, or just one.
    """

    name: str
    asks: str
    about: str
    options: tuple[str, ...]
    right: frozenset[int]
    several: bool


@dataclass
class Room:
    """One class.

    Attributes:
        code: what phones open.
        key: what only the browser that opened it knows.
        owner: that browser's digest.
        origin: the server as phones reach it, say ``http://192.168.1.20:8501``.
        opened: when it was opened, by a monotonic clock.
        heard: when somebody last asked for the room, by the same clock.
        question: the present one.
        round: number of the question, from 1: a vote names the one that it is for.
        revealed: whether the answer is out.
        votes: digest of a browser -> what it has chosen.
        members: all that have voted in this room.
    """

    code: str
    key: str
    owner: bytes
    origin: str
    opened: float
    heard: float
    question: PollQuestion
    round: int = 1
    revealed: bool = False
    votes: dict[bytes, frozenset[int]] = field(default_factory=dict)
    members: set[bytes] = field(default_factory=set)
    _salt: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)

    def digest(self, visitor: str) -> bytes:
        """What the room knows a browser by."""
        return _digest(visitor, self._salt)

    @property
    def counts(self) -> list[int]:
        """How often each option was chosen."""
        return [
            sum(index in vote for vote in self.votes.values()) for index in range(len(self.question.options))
        ]


class Rooms:
    """All rooms of a server.

    Args:
        limits: what is held.
        clock: seconds that only go forward.
    """

    def __init__(self, limits: PollLimits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits or PollLimits()
        self._clock = clock
        self._rooms: dict[str, Room] = {}
        self._salt = secrets.token_bytes(16)

    def __len__(self) -> int:
        self._forget_old()
        return len(self._rooms)

    def open(self, visitor: str, origin: str, question: PollQuestion) -> Room:
        """A new room with its first question.

        Raises:
            Refused: if all rooms are taken.
        """
        self._check(question)
        self._forget_old()
        owner = _digest(visitor, self._salt)
        own = [room for room in self._rooms.values() if room.owner == owner]  # the oldest first
        for room in own[: max(0, len(own) - self.limits.of_one + 1)]:
            del self._rooms[room.code]
        self._make_place()
        now = self._clock()
        room = Room(self._new_code(), secrets.token_urlsafe(24), owner, origin, now, now, question)
        self._rooms[room.code] = room
        return room

    def room(self, code: str) -> Room:
        """The room of a code, however it is typed; raises `Refused` if there is none (any more)."""
        self._forget_old()
        room = self._rooms.get("".join(filter(str.isalnum, code)).upper())
        if room is None:
            raise Refused(404, OVER)
        room.heard = self._clock()
        return room

    def owned(self, code: str, key: str) -> Room:
        """The same for who has opened it; raises `Refused` if the key is not the room's."""
        room = self.room(code)
        if not secrets.compare_digest(key.encode(), room.key.encode()):
            raise Refused(403, "Only the browser that opened this poll can do that.")
        return room

    def ask(self, room: Room, question: PollQuestion) -> None:
        """Go on to another question; the votes for the last one are forgotten."""
        self._check(question)
        room.question, room.round, room.revealed, room.votes = question, room.round + 1, False, {}

    def vote(self, room: Room, visitor: str, round_: Any, chosen: Any) -> None:
        """Take a vote.

        Raises:
            Refused: if it is none, is for another question, comes late or twice, or the room is full.
        """
        options = len(room.question.options)
        if not isinstance(chosen, list) or not all(type(c) is int and 0 <= c < options for c in chosen):
            raise Refused(400, "A vote is a list of options.")
        if len(set(chosen)) != len(chosen) or not (room.question.several or len(chosen) == 1):
            raise Refused(400, "Choose one." if not room.question.several else "Choose each only once.")
        if type(round_) is not int or round_ != room.round:
            raise Refused(409, "The class is at another question by now.")
        if room.revealed:
            raise Refused(409, "The answer is already out.")
        digest = room.digest(visitor)
        if digest in room.votes:
            raise Refused(409, "You have voted: one vote a browser.")
        if digest not in room.members and len(room.members) >= self.limits.voters:
            raise Refused(409, f"This poll is full: it has {self.limits.voters} voters.")
        room.members.add(digest)
        room.votes[digest] = frozenset(chosen)

    def close(self, room: Room) -> None:
        """End it."""
        self._rooms.pop(room.code, None)

    def seconds_left(self, room: Room) -> int:
        """Until it is over."""
        return max(0, round(room.opened + self.limits.lifetime - self._clock()))

    def is_full_for(self, room: Room, visitor: str | None) -> bool:
        """Whether a browser can no longer vote there."""
        known = visitor is not None and room.digest(visitor) in room.members
        return not known and len(room.members) >= self.limits.voters

    def _check(self, question: PollQuestion) -> None:
        limits = self.limits
        if not 2 <= len(question.options) <= limits.options:
            raise Refused(400, f"A question has 2 to {limits.options} options.")
        said = (question.name, question.asks, question.about, *question.options)
        if not question.asks.strip() or max(map(len, said)) > limits.characters:
            raise Refused(
                400, f"A question, its text and each option have at most {limits.characters} characters."
            )
        if not all(0 <= index < len(question.options) for index in question.right):
            raise Refused(400, "What is right is not among the options.")

    def _forget_old(self) -> None:
        now = self._clock()
        for room in [r for r in self._rooms.values() if now - r.opened >= self.limits.lifetime]:
            del self._rooms[room.code]

    def _make_place(self) -> None:
        if len(self._rooms) < self.limits.rooms:
            return
        quiet = min(self._rooms.values(), key=lambda room: room.heard)
        if self._clock() - quiet.heard < self.limits.idle:
            raise Refused(503, f"All {self.limits.rooms} polls of this server are in use: try again later.")
        del self._rooms[quiet.code]

    def _new_code(self) -> str:
        while True:
            code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
            if code not in self._rooms:
                return code


def _digest(visitor: str, salt: bytes) -> bytes:
    return hashlib.blake2b(visitor.encode(), key=salt, digest_size=16).digest()
