"""`POST /scores` takes as JSON what `ballast evaluate report` takes, and answers with the run as judged."""

import asyncio
import hmac
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from services.errors import InputError
from services.evaluate.reporting import ContradictionError, Report
from services.evaluate.result import Result, plain
from services.serving import LOCAL
from streams.errors import BrokerError, UnavailableError

MOST_BYTES = 16 * 2**20  # 200,000 losses
_BODY_SECONDS = 30.0
Word = Annotated[str, Field(min_length=1, max_length=1_000)]
Losses = Annotated[dict[Word, FiniteFloat], Field(min_length=1)]


class Scores(BaseModel):
    """The body of a report."""

    model_config = ConfigDict(extra="forbid", strict=True)

    run: Word
    cycle: int = Field(ge=0, lt=2**31)
    set_name: Word = Field(alias="set")
    loss: FiniteFloat | None = None
    documents: int = Field(default=0, ge=0, lt=2**63)
    losses: Losses | None = None
    metrics: dict[Word, FiniteFloat] = Field(default_factory=dict)
    trainer: Word = "trainer"
    model: str = ""
    trained_to_batch: int | None = Field(default=None, ge=0, lt=2**63)

    def report(self) -> Report:
        """Return what is reported."""
        return Report(
            run_id=self.run,
            cycle=self.cycle,
            set_name=self.set_name,
            trainer=self.trainer,
            model_id=self.model or self.run,
            loss=self.loss,
            documents=self.documents,
            losses=self.losses,
            metrics=self.metrics,
            trained_to_batch=self.trained_to_batch,
        )


class _RefusedError(Exception):
    """A request is answered with a status and one sentence."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def application(take: Callable[[Report], Result], token: str | None) -> FastAPI:
    """Return the application; `take` writes a report and may block. A token is asked of all but /healthz."""
    app = FastAPI(openapi_url=None)
    if token is None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/scores")
    async def scores(request: Request) -> JSONResponse:
        try:
            _let_in(request, token)
            said = _scores(await _body(request)).report()
            result = await run_in_threadpool(take, said)
        except _RefusedError as error:
            return _answer(error.status, error)
        except ContradictionError as error:
            return _answer(409, error)
        except InputError as error:
            return _answer(422, error)
        except (UnavailableError, BrokerError) as error:
            return _answer(503, error)
        return JSONResponse(plain(result), 201 if result.is_new else 200)

    return app


def _let_in(request: Request, token: str | None) -> None:
    given = request.headers.get("authorization", "").encode("latin-1")  # as it came over the wire
    if token is not None and not hmac.compare_digest(given, f"Bearer {token}".encode()):
        raise _RefusedError(401, "The token is missing or another one; send `Authorization: Bearer` and the token")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _RefusedError(415, "The body is no JSON by its Content-Type; send application/json")


async def _body(request: Request) -> bytes:
    """Return the body, as far as it is small enough and comes in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise _RefusedError(413, f"The body is over {MOST_BYTES:,} bytes; report a mean loss instead")
    except TimeoutError:
        raise _RefusedError(408, f"The body did not come within {_BODY_SECONDS:g} s; send it again") from None
    return bytes(body)


def _scores(body: bytes) -> Scores:
    try:
        return Scores.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise _RefusedError(400 if first["type"] == "json_invalid" else 422, f"`{place}`: {first['msg']}") from None


def _answer(status: int, error: Exception) -> JSONResponse:
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}
    return JSONResponse({"error": str(error)}, status, headers.get(status))
