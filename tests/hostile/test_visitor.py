"""The visitor of the tests: hung up on at any moment of an upload, it says so and does not fall over."""

import socket
import struct
import threading

import pytest

from tests.soak.visitor import Visitor

SIZE = 2_000_000
RESET = struct.pack("ii", 1, 0)  # a close that throws away what was not read, as a server's does


@pytest.mark.parametrize("reads", [0, 1000, SIZE // 2, SIZE + 1000])
@pytest.mark.parametrize("way", ["reset", "closed", "half an answer"])
def test_an_upload_that_is_hung_up_on_is_0(reads, way):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            connection, _ = server.accept()
            connection.settimeout(2)
            taken = 0
            try:
                while taken < reads and (part := connection.recv(65_536)):
                    taken += len(part)
            except TimeoutError:  # all that it sends was read
                pass
            if way == "half an answer":
                connection.sendall(b"HTTP/1.1 ")
            if way == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        visitor = Visitor(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert visitor._put("/_stcore/upload_file/a/b", "a.csv", b"x" * SIZE) == 0
        thread.join()
