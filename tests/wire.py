"""A server on loopback that speaks the wire protocols of OpenAI and Anthropic, with scripted faults and a ledger."""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """What happens instead of an answer; `hangs` says nothing until the server ends, `cuts` half an answer."""

    status: int = 200
    body: Any = None  # None: the usual answer; a str goes out as it is
    headers: Mapping[str, str] = {}
    hangs: bool = False
    cuts: bool = False
    reason: str | None = None  # why the usual answer ends


class Seen(NamedTuple):
    """One request that came."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class Server:
    """Answers each prompt with what `says` makes of its last turn; faults come first, in their order."""

    def __init__(self, says: Callable[[str], str]) -> None:
        self.says = says
        self.faults: deque[Fault] = deque()
        self.seen: list[Seen] = []
        self.sold: list[str] = []  # the last turns that were answered
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        with self._lock:
            self.seen.append(Seen(request.path, dict(request.headers), body))
            fault = self.faults.popleft() if self.faults else Fault()
        if fault.hangs:
            self._ended.wait()
            return
        told = self._usual(request.path, body, fault.reason) if fault.body is None else fault.body
        data = (told if isinstance(told, str) else json.dumps(told)).encode()
        request.send_response(fault.status)
        for key, value in {"Content-Type": "application/json", **fault.headers}.items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[: len(data) // 2] if fault.cuts else data)
        request.close_connection = True

    def _usual(self, path: str, body: dict[str, Any], reason: str | None) -> dict[str, Any]:
        last = body["messages"][-1]["content"]
        text = self.says(last)
        with self._lock:
            self.sold.append(last)
        if path.endswith("/messages"):
            return {
                "type": "message",
                "role": "assistant",
                "model": body["model"],
                "content": [{"type": "text", "text": text}],
                "stop_reason": reason or "end_turn",
                "usage": {"input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 10},
            }
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": reason or "stop"}]
        usage = {"prompt_tokens": 120, "completion_tokens": 10, "total_tokens": 130}
        return {"object": "chat.completion", "model": body["model"], "choices": choices, "usage": usage}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.answer(self)

            def log_message(self, *_: Any) -> None: ...

        return Handler
