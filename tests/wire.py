"""A server on loopback that speaks the wire protocols of OpenAI and Anthropic, with scripted faults and a ledger."""

import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote


class Fault(NamedTuple):
    """What happens instead of an answer; `hangs` says nothing until the server ends, `cuts` half an answer."""

    status: int = 200
    body: Any = None  # None: the usual answer; a str goes out as it is
    headers: Mapping[str, str] = {}
    hangs: bool = False
    cuts: bool = False
    seconds: float = 0.0  # it answers so much later
    reason: str | None = None  # why the usual answer ends


class Seen(NamedTuple):
    """One request that came; one for models has no body."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1_024

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # who is killed hangs up
            super().handle_error(request, client_address)


class Sale(NamedTuple):
    """One answer that was made and will be billed, whether or not it reaches anybody."""

    model: str
    last_turn: str
    tokens_in: int
    tokens_out: int


class Server:
    """Answers each prompt with what `says` makes of its last turn; faults come first, in their order.

    `script` has faults by the number of the request, `bills` says the tokens in and out of the answer to a last turn.
    Above `limit` calls in flight it says no; an answer takes `seconds`, and longer while `is_held` says so of the
    number of calls in flight. Asked for `models`, it tells them; of `hidden` ones it tells nobody who does not ask by
    name.
    """

    def __init__(
        self,
        says: Callable[[str], str],
        *,
        script: Mapping[int, Fault] | None = None,
        limit: int = 10_000,
        seconds: float = 0.0,
        bills: Callable[[str], tuple[int, int]] = lambda _: (120, 10),
    ) -> None:
        self.says, self.bills, self.limit, self.seconds = says, bills, limit, seconds
        self.is_held: Callable[[int], bool] = lambda _: False
        self.models: list[str] = []
        self.hidden: set[str] = set()
        self.faults: deque[Fault] = deque()
        self.seen: list[Seen] = []
        self.looks: list[Seen] = []
        self.ledger: list[Sale] = []
        self.in_flight = self.most_in_flight = self.refused = 0
        self.script = script or {}
        self._ended = threading.Event()
        self._lock = threading.Condition()
        self._http = _Listener(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def sold(self) -> list[str]:
        """The last turns that were answered."""
        return [sale.last_turn for sale in self.ledger]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self.is_held = lambda _: False
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["Content-Length"])
        if len(data := request.rfile.read(length)) < length:
            raise ConnectionResetError  # who is killed says half of it
        body = json.loads(data)
        with self._lock:
            fault = self._fault()
            self.seen.append(Seen(request.path, dict(request.headers), body))
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self._lock.notify_all()
        self._wait(fault)
        with self._lock:
            self.in_flight -= 1
        if not fault.hangs:
            self._tell(request, body, fault)

    def look(self, request: BaseHTTPRequestHandler) -> None:
        path, _, one = request.path.partition("?")[0].partition("/models")
        with self._lock:
            fault = self.faults.popleft() if self.faults else Fault()
            self.looks.append(Seen(request.path, dict(request.headers), {}))
        self._wait(fault)
        if fault.hangs:
            return
        asked = unquote(one.removeprefix("/"))
        told: Any = {"object": "list", "data": [{"id": each} for each in self.models]}
        if path != "/v1" or one.count("/") > 1 or (asked and asked not in {*self.models, *self.hidden}):
            fault = Fault(404, {"error": {"message": "there is no such thing"}})
        elif asked:
            told = {"id": asked}
        self._send(request, told if fault.body is None else fault.body, fault)

    def _fault(self) -> Fault:
        if self.in_flight >= self.limit:
            self.refused += 1
            return Fault(429, {"error": {"message": "slow down"}})
        return self.script.get(len(self.seen)) or (self.faults.popleft() if self.faults else Fault())

    def _wait(self, fault: Fault) -> None:
        if fault.hangs:
            self._ended.wait()
        elif fault.status == 200:
            self._ended.wait(self.seconds + fault.seconds)
            with self._lock:
                while self.is_held(self.in_flight):
                    self._lock.wait(0.05)

    def _tell(self, request: BaseHTTPRequestHandler, body: dict[str, Any], fault: Fault) -> None:
        told = self._usual(request.path, body, fault.reason) if fault.body is None else fault.body
        self._send(request, told, fault)

    def _send(self, request: BaseHTTPRequestHandler, told: Any, fault: Fault) -> None:
        data = (told if isinstance(told, str) else json.dumps(told)).encode()
        request.send_response(fault.status)
        for key, value in {"Content-Type": "application/json", **fault.headers}.items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[: len(data) // 2] if fault.cuts else data)
        request.close_connection = fault.cuts or self._ended.is_set()

    def _usual(self, path: str, body: dict[str, Any], reason: str | None) -> dict[str, Any]:
        last = body["messages"][-1]["content"]
        text = self.says(last)
        into, out = self.bills(last)
        with self._lock:
            self.ledger.append(Sale(body["model"], last, into, out))
        if path.endswith("/messages"):
            return {
                "type": "message",
                "role": "assistant",
                "model": body["model"],
                "content": [{"type": "text", "text": text}],
                "stop_reason": reason or "end_turn",
                "usage": {"input_tokens": into - 20, "cache_read_input_tokens": 20, "output_tokens": out},
            }
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": reason or "stop"}]
        usage = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}
        return {"object": "chat.completion", "model": body["model"], "choices": choices, "usage": usage}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                server.answer(self)

            def do_GET(self) -> None:
                server.look(self)

            def log_message(self, *_: Any) -> None: ...

        return Handler
