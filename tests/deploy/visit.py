"""One visitor of a lab that is served somehow: opens Explore, reads its stage, opens a poll and votes in it.

python -m tests.deploy.visit http://127.0.0.1:7860
"""

import asyncio
import json
import sys
import urllib.request

from tests.soak.visitor import Visitor, origin_of


async def stage(address, text):
    """What the stage of a sentence gets, over Streamlit's own protocol."""
    visitor = Visitor(address)
    await visitor.enter(query=f"model=sst2&text={text}")
    try:
        given = (json.loads(text) for text in visitor.data() if text)
        return next(found for found in given if "importance" in found)
    finally:
        await visitor.leave()


def poll(address):
    """Votes in a new poll after one vote; the browser keeps cookies."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def ask(path, body=None, **headers):
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{address}/{path}", content, {"Content-Type": "application/json", **headers}
        )
        with browser.open(request, timeout=30) as answer:
            return answer.read()

    ask("poll")
    question = {
        "name": "n",
        "asks": "Which?",
        "about": "",
        "options": ["a", "b"],
        "right": [0],
        "several": False,
    }
    room = json.loads(ask("poll", {"origin": origin_of(address), "question": question}))
    ask(f"poll/{room['code']}/vote", {"round": 1, "chosen": [0]})
    return json.loads(ask(f"poll/{room['code']}/room", **{"X-Poll-Key": room["key"]}))["votes"]


def main():
    address = sys.argv[1]
    found = asyncio.run(stage(address, "A+film+that+nobody+should+miss."))
    print(json.dumps({"tokens": len(found["tokens"]), "votes": poll(address)}))


if __name__ == "__main__":
    main()
