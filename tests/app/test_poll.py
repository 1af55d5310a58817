"""A poll: rooms and their bounds, and the addresses that phones and the teacher's page ask."""

import http.client
import json
import re
import threading

import pytest
import uvicorn
from starlette.applications import Starlette

from app.poll import routes
from app.poll.page import HEADERS, PAGE
from app.poll.rooms import LETTERS, PollLimits, PollQuestion, Rooms
from app.serving.answering import Refused
from app.serving.gate import Gate
from app.serving.settings import VISITOR

ONE = PollQuestion(
    "one", "Is it positive?", "A film.", ("negative", "positive"), frozenset({1}), several=False
)
WORDS = PollQuestion("words", "Which words go?", "a b", ("a", "<b>", "c"), frozenset({0, 2}), several=True)
ORIGIN = "http://192.168.1.20:8501"


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def visitor(number):
    return f"{number:032x}"


# Rooms.


def test_a_room_lives_two_hours(clock):
    rooms = Rooms(clock=clock)
    room = rooms.open(visitor(1), ORIGIN, ONE)
    assert len(room.code) == 5 and set(room.code) <= set(LETTERS)
    clock.now = 7199
    assert rooms.room(f" {room.code.lower()} ") is room and rooms.seconds_left(room) == 1
    clock.now = 7200
    with pytest.raises(Refused, match="is over") as refused:
        rooms.room(room.code)
    assert refused.value.status == 404 and len(rooms) == 0


@pytest.mark.parametrize("write", [str.lower, " {} ".format, " ".join, "-".join, "\u00a0".join])
def test_a_code_is_known_however_it_is_typed(write, clock):
    rooms = Rooms(clock=clock)
    room = rooms.open(visitor(1), ORIGIN, ONE)
    assert rooms.room(write(room.code)) is room


@pytest.mark.parametrize("code", ["", "   ", "-----", "BCDF", "BCDFGH", "*", "../now", "\0", "x" * 5000])
def test_what_is_no_code_has_no_room(code, clock):
    rooms = Rooms(clock=clock)
    rooms.open(visitor(1), ORIGIN, ONE)
    with pytest.raises(Refused, match="no poll with this code"):
        rooms.room(code)


def test_the_two_hundred_and_first_may_watch(clock):
    rooms = Rooms(clock=clock)
    room = rooms.open(visitor(0), ORIGIN, ONE)
    for number in range(200):
        rooms.vote(room, visitor(number), 1, [number % 2])
    with pytest.raises(Refused, match="full: it has 200 voters"):
        rooms.vote(room, visitor(200), 1, [0])
    assert rooms.is_full_for(room, visitor(200)) and not rooms.is_full_for(room, visitor(199))
    assert len(room.votes) == 200 and room.counts[:2] == [100, 100]


def test_so_many_rooms_and_no_more_until_one_is_quiet(clock):
    rooms = Rooms(PollLimits(rooms=3), clock)
    made = [rooms.open(visitor(number), ORIGIN, ONE) for number in range(3)]
    clock.now = 599
    rooms.room(made[0].code), rooms.room(made[2].code)
    with pytest.raises(Refused, match="All 3 polls") as refused:
        rooms.open(visitor(9), ORIGIN, ONE)
    assert refused.value.status == 503
    clock.now = 601
    rooms.open(visitor(9), ORIGIN, ONE)  # in the place of the second, of which nobody has asked
    assert len(rooms) == 3
    with pytest.raises(Refused):
        rooms.room(made[1].code)
    assert rooms.room(made[0].code) is made[0]


def test_one_browser_has_two_rooms_at_most(clock):
    rooms = Rooms(clock=clock)
    first, second, third = (rooms.open(visitor(1), ORIGIN, ONE) for _ in range(3))
    with pytest.raises(Refused):
        rooms.room(first.code)
    assert rooms.room(second.code) is second and rooms.room(third.code) is third


def test_votes_are_counted_and_each_browser_has_one(clock):
    rooms = Rooms(clock=clock)
    room = rooms.open(visitor(0), ORIGIN, WORDS)
    for number, chosen in enumerate([[0, 2], [2], [1, 2], []]):
        rooms.vote(room, visitor(number), 1, chosen)
    assert room.counts == [1, 1, 3] and len(room.votes) == 4
    with pytest.raises(Refused, match="one vote a browser") as refused:
        rooms.vote(room, visitor(2), 1, [0])
    assert refused.value.status == 409 and room.counts == [1, 1, 3]


@pytest.mark.parametrize("chosen", [None, "0", [3], [-1], [True], [0.0], [0, 0], {"0": 1}, [[0]]])
def test_what_is_no_vote_changes_nothing(chosen, clock):
    rooms = Rooms(clock=clock)
    room = rooms.open(visitor(0), ORIGIN, WORDS)
    with pytest.raises(Refused):
        rooms.vote(room, visitor(1), 1, chosen)
    assert not room.votes and not room.members


@pytest.mark.parametrize("chosen", [[], [0, 1]])
def test_of_one_choice_exactly_one(chosen, clock):
    rooms = Rooms(clock=clock)
    room = rooms.open(visitor(0), ORIGIN, ONE)
    with pytest.raises(Refused, match="Choose one"):
        rooms.vote(room, visitor(1), 1, chosen)


def test_a_vote_for_another_question_or_after_the_answer_is_late(clock):
    rooms = Rooms(clock=clock)
    room = rooms.open(visitor(0), ORIGIN, ONE)
    rooms.vote(room, visitor(1), 1, [0])
    rooms.ask(room, WORDS)
    assert (room.round, room.votes) == (2, {})
    with pytest.raises(Refused, match="another question"):
        rooms.vote(room, visitor(2), 1, [0])
    rooms.vote(room, visitor(1), 2, [0])  # who has voted before may vote again: it is another question
    room.revealed = True
    with pytest.raises(Refused, match="already out"):
        rooms.vote(room, visitor(2), 2, [0])


def test_a_full_room_takes_nobody_new_but_keeps_who_is_in(clock):
    rooms = Rooms(PollLimits(voters=3), clock)
    room = rooms.open(visitor(0), ORIGIN, ONE)
    for number in range(3):
        rooms.vote(room, visitor(number), 1, [0])
    with pytest.raises(Refused, match="full: it has 3"):
        rooms.vote(room, visitor(9), 1, [0])
    assert rooms.is_full_for(room, visitor(9)) and rooms.is_full_for(room, None)
    rooms.ask(room, ONE)
    rooms.vote(room, visitor(2), 2, [1])
    assert room.counts == [0, 1] and not rooms.is_full_for(room, visitor(1))


@pytest.mark.parametrize(
    "changes",
    [
        {"options": ("only one",)},
        {"options": tuple(map(str, range(65)))},
        {"options": ("a", "b" * 1201)},
        {"asks": "?" * 1201},
        {"asks": " "},
        {"about": "x" * 1201},
        {"name": "x" * 1201},
        {"right": frozenset({2})},
        {"right": frozenset({-1})},
    ],
)
def test_a_question_is_bounded_before_it_is_kept(changes, clock):
    rooms = Rooms(clock=clock)
    odd = PollQuestion(**{**vars(ONE), **changes})
    with pytest.raises(Refused):
        rooms.open(visitor(0), ORIGIN, odd)
    room = rooms.open(visitor(0), ORIGIN, ONE)
    with pytest.raises(Refused):
        rooms.ask(room, odd)
    assert room.question is ONE and room.round == 1


def test_nothing_of_a_browser_is_kept(clock):
    """Not its cookie, and nothing that tells in two rooms that it is the same one."""
    rooms = Rooms(clock=clock)
    one, other = rooms.open(visitor(7), ORIGIN, ONE), rooms.open(visitor(7), ORIGIN, ONE)
    for room in (one, other):
        rooms.vote(room, visitor(7), 1, [0])
        assert visitor(7).encode() not in repr(vars(room)).encode() and visitor(7) not in repr(vars(room))
    assert not one.members & other.members


# Addresses.


@pytest.fixture(scope="module")
def served():
    """The routes behind the gate, on a port of their own."""
    rooms = Rooms(PollLimits(voters=3))
    server = uvicorn.Server(
        uvicorn.Config(Gate(Starlette(routes=routes.routes(rooms))), port=0, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


class Phone:
    """A browser: keeps its cookie."""

    def __init__(self, port, cookies=True):
        self.port, self.cookies, self.cookie = port, cookies, None

    def ask(self, method, path, body=None, **headers):
        """Status, and the JSON or the text that came."""
        sent = dict(headers)
        if self.cookie:
            sent["Cookie"] = self.cookie
        if body is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, content, sent)
            response = connection.getresponse()
            text = response.read().decode()
            given = response.getheader("Set-Cookie")
            if given and self.cookies:
                self.cookie = given.partition(";")[0]
            self.headers = response.headers
            kind = response.getheader("Content-Type", "")
            return response.status, json.loads(text) if kind.startswith("application/json") else text
        finally:
            connection.close()


def asked(question=ONE):
    return {**vars(question), "options": list(question.options), "right": sorted(question.right)}


@pytest.fixture
def teacher(served):
    """A browser with a room of its own: `.code` and `.key`."""
    browser = Phone(served)
    browser.ask("GET", "/poll")
    status, room = browser.ask("POST", "/poll", {"origin": ORIGIN, "question": asked()})
    assert status == 200
    browser.code, browser.key = room["code"], {"X-Poll-Key": room["key"]}
    browser.opened = room
    return browser


def phone(served, code):
    browser = Phone(served)
    assert browser.ask("GET", f"/poll/{code}".rstrip("/"))[0] == 200
    return browser


def test_a_class_votes_and_sees_the_answer(served, teacher):
    code, key = teacher.code, teacher.key
    first, second = phone(served, code), phone(served, code)
    status, seen = first.ask("GET", f"/poll/{code}/now")
    assert status == 200 and seen["asks"] == ONE.asks and seen["mine"] is None
    assert "right" not in seen and "counts" not in seen  # nobody reads the answer off the network
    assert first.ask("POST", f"/poll/{code}/vote", {"round": 1, "chosen": [1]})[1]["mine"] == [1]
    status, said = first.ask("POST", f"/poll/{code}/vote", {"round": 1, "chosen": [0]})
    assert status == 409 and said == {"error": "You have voted: one vote a browser."}
    assert second.ask("POST", f"/poll/{code.lower()}/vote", {"round": 1, "chosen": [0]})[0] == 200
    assert teacher.ask("GET", f"/poll/{code}/room", **key)[1]["counts"] == [1, 1]
    assert teacher.ask("POST", f"/poll/{code}/reveal", {}, **key)[0] == 200
    status, seen = second.ask("GET", f"/poll/{code}/now")  # a reload
    assert (seen["mine"], seen["right"], seen["counts"], seen["votes"]) == ([0], [1], [1, 1], 2)
    status, room = teacher.ask("POST", f"/poll/{code}/question", {"question": asked(WORDS)}, **key)
    assert (status, room["round"], room["votes"], room["revealed"]) == (200, 2, 0, False)
    assert "right" not in second.ask("GET", f"/poll/{code}/now")[1]
    assert teacher.ask("POST", f"/poll/{code}/close", {}, **key)[0] == 200
    assert second.ask("GET", f"/poll/{code}/now")[0] == 404


def test_the_room_names_where_phones_go(teacher):
    assert teacher.opened["link"] == f"{ORIGIN}/poll/{teacher.code}"
    assert teacher.opened["typed"] == "192.168.1.20:8501/poll"
    assert teacher.opened["qr"].startswith("data:image/svg+xml")


@pytest.mark.parametrize("what", ["reveal", "question", "close", "room"])
@pytest.mark.parametrize("guess", [{}, {"X-Poll-Key": ""}, {"X-Poll-Key": "x" * 32}, {"X-Poll-Key": "ü"}])
def test_only_who_has_the_key_leads(served, teacher, what, guess):
    """Also not another tab of the same browser without it."""
    guess = {name: value.encode() for name, value in guess.items()}
    for browser in (phone(served, teacher.code), teacher):
        method, body = ("GET", None) if what == "room" else ("POST", {"question": asked()})
        status, said = browser.ask(method, f"/poll/{teacher.code}/{what}", body, **guess)
        assert status == 403 and "key" not in said
    seen = phone(served, teacher.code).ask("GET", f"/poll/{teacher.code}/now")[1]
    assert (seen["round"], seen["revealed"]) == (1, False)


def test_a_code_that_is_not_there(served):
    browser = phone(served, "NONE5")
    for method, path, body in (
        ("GET", "now", None),
        ("POST", "vote", {"round": 1, "chosen": [0]}),
        ("POST", "reveal", {}),
    ):
        status, said = browser.ask(method, f"/poll/NONE5/{path}", body)
        assert (status, said) == (404, {"error": "There is no poll with this code, or it is over."})


def test_a_full_room_says_so(served, teacher):
    for _ in range(3):
        member = phone(served, teacher.code)
        assert member.ask("POST", f"/poll/{teacher.code}/vote", {"round": 1, "chosen": [0]})[0] == 200
    late = phone(served, teacher.code)
    assert late.ask("GET", f"/poll/{teacher.code}/now")[1]["full"] is True
    status, said = late.ask("POST", f"/poll/{teacher.code}/vote", {"round": 1, "chosen": [0]})
    assert status == 409 and "full" in said["error"]
    assert member.ask("GET", f"/poll/{teacher.code}/now")[1]["full"] is False


def test_without_cookies_there_is_no_vote(served, teacher):
    nameless = Phone(served, cookies=False)
    nameless.ask("GET", f"/poll/{teacher.code}")
    for cookie in (None, f"{VISITOR}=somebody", f"{VISITOR}={'0' * 31}G"):
        nameless.cookie = cookie
        status, said = nameless.ask("POST", f"/poll/{teacher.code}/vote", {"round": 1, "chosen": [0]})
        assert status == 403 and "allow cookies" in said["error"]


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("GET", "vote", None, None, 405),
        ("PUT", "vote", {"round": 1, "chosen": [0]}, None, 405),
        ("DELETE", "now", None, None, 405),
        ("POST", "now", {}, None, 405),
        ("GET", "reveal", None, None, 405),
        ("POST", "vote", b"round=1&chosen=0", "application/x-www-form-urlencoded", 415),
        ("POST", "vote", b'{"round": 1, "chosen": [0]}', "text/plain", 415),
        ("POST", "vote", b"{", None, 400),
        ("POST", "vote", b"[1]", None, 400),
        ("POST", "vote", b"[" * 4000, None, 400),
        ("POST", "vote", b"\xff", None, 400),
        ("POST", "vote", b" " * 5000, None, 413),
        ("POST", "vote", {"round": "1", "chosen": [0]}, None, 409),
        ("POST", "vote", {}, None, 400),
    ],
)
def test_what_is_no_vote_is_refused(served, teacher, method, path, body, kind, status):
    browser = phone(served, teacher.code)
    headers = {"Content-Type": kind} if kind else {}
    assert browser.ask(method, f"/poll/{teacher.code}/{path}", body, **headers)[0] == status
    assert browser.ask("GET", f"/poll/{teacher.code}/now")[1]["votes"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"origin": ORIGIN},
        {"origin": "javascript:alert(1)", "question": asked()},
        {"origin": f"{ORIGIN}/elsewhere", "question": asked()},
        {"origin": 5, "question": asked()},
        {"origin": ORIGIN, "question": {**asked(), "options": "ab"}},
        {"origin": ORIGIN, "question": {**asked(), "options": ["a", 1]}},
        {"origin": ORIGIN, "question": {**asked(), "right": [True]}},
        {"origin": ORIGIN, "question": {**asked(), "right": 1}},
        {"origin": ORIGIN, "question": {**asked(), "several": "yes"}},
        {"origin": ORIGIN, "question": {**asked(), "asks": None}},
        {"origin": ORIGIN, "question": {**asked(), "options": ["x"] * 65}},
    ],
)
def test_what_is_no_question_opens_no_room(served, body):
    browser = phone(served, "")
    status, said = browser.ask("POST", "/poll", body)
    assert status == 400 and set(said) == {"error"} and "\n" not in said["error"]


def test_a_question_too_large_is_not_read(served):
    browser = phone(served, "")
    big = {"origin": ORIGIN, "question": {**asked(), "about": "x" * routes.MOST_BYTES}}
    assert browser.ask("POST", "/poll", big)[0] == 413


def test_the_phones_page_holds_no_text_of_anybody_and_runs_nothing_else(served, teacher):
    teacher.ask("POST", f"/poll/{teacher.code}/question", {"question": asked(WORDS)}, **teacher.key)
    browser = phone(served, teacher.code)
    _, page = browser.ask("GET", f"/poll/{teacher.code}")
    assert page == PAGE and "Which words go?" not in page
    policy = browser.headers["Content-Security-Policy"]
    assert policy == HEADERS["Content-Security-Policy"] and "default-src 'none'" in policy
    assert "unsafe" not in policy and not re.search(r"innerHTML|insertAdjacentHTML|document\.write", page)
    _, seen = browser.ask("GET", f"/poll/{teacher.code}/now")
    assert seen["options"][1] == "<b>"  # as it is; the page writes it as text
