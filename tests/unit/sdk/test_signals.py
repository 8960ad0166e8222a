"""A signal is not repeated: the server keeps no answer of it."""

from __future__ import annotations

import socket
import threading

import pytest

from pilothouse.sdk import ApiUnreachableError, Client
from pilothouse.wire.requests import SendSignal


def test_signal_whose_answer_is_lost_is_sent_a_single_time() -> None:
    calls: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def lose_answers() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    calls.append(connection.recv(65536))

        thread = threading.Thread(target=lose_answers)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with Client(url=url, token="ph_x") as client, pytest.raises(ApiUnreachableError):
            client.lifecycles.signal(SendSignal(group="default", name="go"))
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert [call.split(b" ", 2)[:2] for call in calls] == [[b"POST", b"/api/v1/signals"]]
