"""One who sends what no page sends, as long as the soak runs; the server may refuse all of it."""

import asyncio
import random
import time

from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.soak.visitor import Fault, Visitor

MEGABYTE = 2**20
PAUSE = 1.0  # seconds between two misdeeds
LONG_ROWS = 1900


async def misbehave(address, until, counts):
    """Do one thing after the other until the time is over -> counts: of what -> how often."""
    chance = random.Random(0)
    deeds = (flood, clear, garble, many_files, too_large, long_address, many_tabs, leave_at_once, long_rows)
    while time.monotonic() < until - 5:
        deed = chance.choice(deeds)
        visitor = Visitor(address)
        try:
            async with asyncio.timeout(max(until - time.monotonic(), 1)):
                await visitor.enter(page="about")
                await deed(visitor)
            counts[deed.__name__] += 1
        except TimeoutError:
            counts[f"{deed.__name__}, out of time"] += 1
        except (Fault, OSError) as error:  # what a server may do to one like this
            counts[f"{deed.__name__}: {str(error)[:60]}"] += 1
        finally:
            await visitor.leave()
        await asyncio.sleep(PAUSE)


async def flood(visitor):
    for _ in range(150):
        await visitor.send(visitor.rerun())


async def clear(visitor):
    message = BackMsg()
    message.clear_cache = True
    for _ in range(20):
        await visitor.send(message)


async def garble(visitor):
    await visitor._socket.send(random.Random(1).randbytes(4000))


async def many_files(visitor):
    for number in range(10):
        place = await visitor.place_for(f"{number}.csv")
        await asyncio.to_thread(visitor._put, place.upload_url, f"{number}.csv", b"x" * (5 * MEGABYTE - 1000))


async def too_large(visitor):
    place = await visitor.place_for("large.csv")
    await asyncio.to_thread(visitor._put, place.upload_url, "large.csv", b"x" * (8 * MEGABYTE))


async def long_address(visitor):
    visitor.query = "t1=" + "9" * 100_000 + "&model=" + "m" * 100_000
    await visitor.run(page="")


async def many_tabs(visitor):
    tabs = [Visitor(visitor.address, cookies=visitor.cookies) for _ in range(30)]
    for tab in tabs:
        try:
            await tab.connect()
        except Exception:
            break
    for tab in tabs:
        await tab.leave()


async def leave_at_once(visitor):
    for _ in range(5):
        await visitor.send(visitor.rerun(page="why"))
    await visitor.leave()


async def long_rows(visitor):
    """What was half an hour in one of two places; and leave while it runs."""
    await visitor.own_file()
    if visitor.has("cancel_job"):
        return
    rows = "\n".join("word " * 400 for _ in range(LONG_ROWS))
    if await visitor.upload("upload", "long.csv", f"sentence\n{rows}\n".encode()) < 300:
        await visitor.run(run_set=True)
        await asyncio.sleep(10)
