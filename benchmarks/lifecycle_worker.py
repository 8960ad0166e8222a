"""
``python -m benchmarks.lifecycle_worker URL OWNER``: one worker process on a database that is there.

It says ``ready``, waits for a line of standard input, and then works on what is due until the input ends.
"""

from __future__ import annotations

import sys
import threading
import time

from benchmarks.lifecycle_plane import LifecyclePlane

PAUSE_S = 0.002


def main() -> None:
    """Work until standard input ends."""
    url, owner = sys.argv[1:]
    plane = LifecyclePlane(url=url)
    executor = plane.executor(owner)
    print("ready", flush=True)
    sys.stdin.readline()
    ended = threading.Event()
    threading.Thread(target=_until_input_ends, args=(ended,), daemon=True).start()
    while not ended.is_set():
        if not executor.run_once():
            time.sleep(PAUSE_S)
    executor.give_back()
    plane.close()


def _until_input_ends(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    main()
