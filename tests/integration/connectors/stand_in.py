"""A scoring process without models: it keeps the files, the lock and the control socket, and nothing else."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socketserver
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

MOMENT = "2026-01-05T12:00:00.000000Z"


def start_time() -> int:
    return int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])


def write(path: Path, value: object) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(value))
    beside.replace(path)


def hold(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("another process holds this home")


class Server(socketserver.ThreadingUnixStreamServer):
    home: Path
    desired: dict[str, Any]
    daemon_threads = True
    taking = threading.Lock()

    def observed(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "runtime_id": json.loads((self.home / "entry.json").read_text())["runtime_id"],
            "generation": self.desired.get("generation", 0),
            "process": f"{os.getpid()}-{start_time()}",
            "started_at": MOMENT,
            "address": "http://127.0.0.1:1",
            "deployments": [
                {
                    "id": d["id"],
                    "generation": d["generation"],
                    "digest": d["digest"],
                    "state": "running",
                }
                for d in self.desired.get("deployments", ())
            ],
            "routes": {r["service"]: r["generation"] for r in self.desired.get("routes", ())},
        }


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "control"

    def do_GET(self) -> None:
        self.answer(self.server.observed())

    def do_PUT(self) -> None:
        desired = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.taking:
            if desired["generation"] >= self.server.desired.get("generation", 0):
                self.server.desired = desired
                write(self.server.home / "desired.json", desired)
        self.answer({})

    def do_POST(self) -> None:
        self.answer({})
        if (
            not (self.server.home / "refusing").exists()
            and not (self.server.home / "deaf").exists()
        ):
            os.kill(os.getpid(), signal.SIGTERM)

    def answer(self, value: object) -> None:
        secret = (self.server.home / "secret").read_text()
        refusing = (self.server.home / "refusing").exists()
        known = not refusing and self.headers["authorization"] == f"Bearer {secret}"
        body = json.dumps(value).encode()
        self.send_response(200 if known else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(home: Path) -> None:
    if (home / "broken").exists():
        sys.exit("the port is taken")
    hold(home / "entry.lock")
    socket = str(Path(tempfile.mkdtemp()) / "control")
    with Server(socket, Handler) as server:
        server.home = home
        kept = home / "desired.json"
        server.desired = json.loads(kept.read_text()) if kept.exists() else {}
        process = {
            "pid": os.getpid(),
            "start_time": start_time(),
            "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            "socket": socket,
            "address": "http://127.0.0.1:1",
            "started_at": MOMENT,
        }
        if (home / "deaf").exists():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        write(home / "process.json", process)
        server.serve_forever()


def job(home: Path) -> None:
    hold(home / "job.lock")
    order = json.loads((home / "order.json").read_text())
    before = home / "process.json"
    attempt = json.loads(before.read_text())["attempt"] + 1 if before.exists() else 1
    write(before, {"pid": os.getpid(), "started": start_time(), "attempt": attempt})
    report = {"job_id": order["job_id"], "state": "running"}

    def cancelled(_number: int, _frame: FrameType | None) -> None:
        write(home / "report.json", {**report, "state": "cancelled"})
        sys.exit(0)

    signal.signal(signal.SIGTERM, cancelled)
    if (home / "cancel").exists():
        cancelled(0, None)
    write(home / "report.json", report)
    match order["source"]["path"]:
        case "quick":
            write(home / "report.json", {**report, "state": "complete", "result": "success"})
        case "endless":
            time.sleep(600)
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        case "deadly":
            os.write(1, b"out of memory\n")
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    {"serve": serve, "job": job}[sys.argv[1]](Path(sys.argv[3]))
