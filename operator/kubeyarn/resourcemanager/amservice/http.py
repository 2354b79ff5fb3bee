"""The AM service over HTTP: decoding, authentication, errors; the rules are in `service`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from kubeyarn.cluster.errors import ApiError
from kubeyarn.lifecycle.am_session import ProtocolError
from kubeyarn.model.errors import SpecError, Unavailable
from kubeyarn.resourcemanager.amservice import openapi, wire
from kubeyarn.resourcemanager.amservice.authentication import NotAuthenticated, PodAuthenticator
from kubeyarn.resourcemanager.amservice.callers import Caller
from kubeyarn.resourcemanager.amservice.idle_connections import IdleConnections
from kubeyarn.resourcemanager.amservice.service import ApplicationMasterService
from kubeyarn.resourcemanager.amservice.wire import FieldError
from kubeyarn.resourcemanager.applications import unmanaged_am

_log = logging.getLogger(__name__)

LARGEST_BODY = 8 * 1024 * 1024
LONGEST_BODY_S = 20.0

_STATUS = {
    "NotAnApplicationMaster": 403,
    "ApplicationNotFound": 404,
    "InvalidRequest": 400,
    "TooManyAsks": 400,
}

Body = TypeVar("Body", bound=wire.Message)


class AmService:
    """Routes of `/am/v1`. Until *ready* says so, every call is answered 503: try again."""

    def __init__(
        self,
        service: ApplicationMasterService,
        authenticator: PodAuthenticator,
        ready: Callable[[], bool],
    ) -> None:
        self._service = service
        self._authenticator = authenticator
        self._ready = ready
        self.connections = IdleConnections()

    def application(self) -> web.Application:
        """The web application that serves the routes."""
        app = web.Application(
            client_max_size=LARGEST_BODY, middlewares=[self.connections.note, _errors]
        )
        app.router.add_post("/am/v1/register", self._register)
        app.router.add_post("/am/v1/allocate", self._allocate)
        app.router.add_post("/am/v1/finish", self._finish)
        app.router.add_post("/am/v1/containers", self._containers)
        app.router.add_get("/am/v1/openapi.json", _openapi)
        return app

    async def _register(self, request: web.Request) -> web.Response:
        caller, body = await self._call(request, wire.Register)
        return _answer(self._service.register(caller, body, _now_ms()))

    async def _allocate(self, request: web.Request) -> web.Response:
        caller, body = await self._call(request, wire.Allocate)
        answer = self._service.allocate(caller, body, _now_ms())
        await self._service.release(caller, body)
        return _answer(answer)

    async def _finish(self, request: web.Request) -> web.Response:
        caller, body = await self._call(request, wire.Finish)
        return _answer(self._service.finish(caller, body, _now_ms()))

    async def _containers(self, request: web.Request) -> web.Response:
        caller, body = await self._call(request, wire.Containers)
        return _answer(await self._service.containers(caller, body))

    async def _call(self, request: web.Request, kind: type[Body]) -> tuple[Caller, Body]:
        """The caller and its message; the caller comes first, so that strangers learn nothing."""
        if not self._ready():
            raise Unavailable("the ResourceManager is starting; try again")
        header = request.headers.get("Authorization")
        token = unmanaged_am.read_token(header)
        if token is not None:
            caller = self._service.unmanaged(token)
            return caller, _decode(await _read(request), kind)
        pod = await self._authenticator.authenticate(header, request.remote or "")
        body = _decode(await _read(request), kind)
        return self._service.caller(pod), body


async def _read(request: web.Request) -> bytes:
    """A call's body.

    Raises:
        HTTPRequestTimeout: it does not come in time.
    """
    try:
        async with asyncio.timeout(LONGEST_BODY_S):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(
            reason=f"the body did not come within {LONGEST_BODY_S:g} s; send it again"
        ) from None


def _decode(data: bytes, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        # msgspec says "Expected `int`, got `str` - at `$.asks[0].count`".
        message, _, where = str(error).partition(" - at `$")
        raise FieldError(where.rstrip("`").lstrip(".") or "body", message) from error
    except msgspec.DecodeError as error:
        raise MalformedJson(str(error)) from error
    # Brackets a thousand deep are valid JSON and exhaust the decoder's stack.
    except RecursionError as error:
        raise MalformedJson("it is nested too deeply") from error


class MalformedJson(SpecError):
    """The body is not JSON."""


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except MalformedJson as error:
        return _no(400, "InvalidJson", f"the body is not JSON: {error}")
    except FieldError as error:
        return _no(400, "InvalidRequest", str(error), error.field)
    except NotAuthenticated as error:
        return _no(401, "Unauthorized", str(error))
    except ProtocolError as error:
        return _no(_STATUS.get(error.code, 409), error.code, str(error))
    except SpecError as error:
        return _no(400, "InvalidRequest", str(error), str(error).partition(":")[0])
    except Unavailable as error:
        return _no(503, "Unavailable", str(error))
    # The AM did nothing wrong and may try again: what it asked is taken in, or was not.
    except ApiError as error:
        _log.exception("%s %s: the API server refused", request.method, request.path)
        return _no(503, "Unavailable", f"the API server refused: {error}")
    except web.HTTPRequestEntityTooLarge:
        return _no(413, "TooLarge", f"the body is too large, allowed: {LARGEST_BODY} bytes")
    except web.HTTPException as error:
        return _no(
            error.status, "InvalidRequest", f"{request.method} {request.path}: {error.reason}"
        )
    except Exception:  # noqa: BLE001 - whatever it was, the caller gets an answer
        _log.exception("%s %s: a bug", request.method, request.path)
        return _no(500, "InternalError", "a bug of the ResourceManager; its log has the details")


def _no(status: int, error: str, message: str, field: str = "") -> web.Response:
    body = msgspec.json.encode(wire.Error(error=error, message=message, field=field))
    return web.Response(body=body, status=status, content_type="application/json")


def _answer(message: wire.Message) -> web.Response:
    return web.Response(body=msgspec.json.encode(message), content_type="application/json")


async def _openapi(_: web.Request) -> web.Response:
    document: dict[str, Any] = openapi.document()
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")


def _now_ms() -> int:
    return int(time.time() * 1000)
