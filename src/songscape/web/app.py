"""The server: the page, its questions and the audio, behind the guard."""

from __future__ import annotations

import json
import mimetypes
import secrets
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from songscape.errors import SongscapeError, UsageError
from songscape.results import ResultsFolder
from songscape.web.api import ENDPOINTS, OTHERS
from songscape.web.audio import audio_response
from songscape.web.desk import Desk
from songscape.web.guard import Guard
from songscape.web.interface import Endpoint, NotThere, openapi, read_values
from songscape.web.packing import as_json
from songscape.web.subsonic import answer_subsonic, as_xml
from songscape.web.transcode import Transcoder

REPORT_POLICY = (
    "default-src 'none'; script-src 'sha256-{}'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SUBSONIC = ("getSonicSimilarTracks", "findSonicPath", "getOpenSubsonicExtensions", "ping")
STATIC = files("songscape.web") / "static"


def make_app(
    folder: ResultsFolder | Desk, *, host: str = "127.0.0.1", token: str | None = None
) -> ASGIApp:
    """The application that `songscape serve` runs; see `Guard` for host and token."""
    desk = folder if isinstance(folder, Desk) else Desk(folder)
    transcoder = Transcoder()
    session = secrets.token_urlsafe(32)

    async def whole_map(request: Request) -> Response:
        shown = await to_thread.run_sync(lambda: desk.shown)
        tag = f'"{shown.version}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        body = await to_thread.run_sync(lambda: shown.map_json)
        return Response(body, media_type="application/json", headers=headers)

    async def audio(request: Request) -> Response:
        atlas = (await to_thread.run_sync(lambda: desk.shown)).atlas
        row = atlas.row_of.get(request.query_params.get("id", ""))
        path = None if row is None else atlas.audio[row]
        if path is not None and request.query_params.get("as") == "flac":
            try:
                path = await to_thread.run_sync(transcoder.copy_of, path)
            except SongscapeError as error:
                return PlainTextResponse(str(error), 415)
        head = request.method == "HEAD"
        return await audio_response(path, request.headers.get("range"), head=head)

    async def report(_request: Request) -> Response:
        path = desk.folder.tables / "report.html"
        if not path.is_file():
            return PlainTextResponse("There is no report yet.", 404)
        policy = await to_thread.run_sync(_report_policy, path)
        return FileResponse(path, headers={"Content-Security-Policy": policy})

    async def given_session(_request: Request) -> Response:
        return JSONResponse({"token": session})

    async def subsonic(request: Request) -> Response:
        given = dict(request.query_params)
        name = request.path_params["name"].removesuffix(".view")
        if name not in SUBSONIC:
            return PlainTextResponse("Not found.", 404)
        answer = await to_thread.run_sync(answer_subsonic, desk, name, given)
        if given.get("f") == "json":
            return Response(as_json({"subsonic-response": answer}), media_type="application/json")
        return Response(as_xml(answer), media_type="application/xml")

    async def described(_request: Request) -> Response:
        return JSONResponse(openapi(ENDPOINTS, OTHERS))

    routes = [
        Route("/", _static),
        Route("/static/{name:path}", _static),
        Route("/report", report),
        Route("/rest/{name}", subsonic),
        Route("/api/map", whole_map),
        Route("/api/audio", audio),
        Route("/api/session", given_session),
        Route("/api/openapi.json", described),
        *(Route(one.path, _asked(desk, one), methods=[one.method]) for one in ENDPOINTS),
    ]
    return Guard(Starlette(routes=routes), host=host, token=token, session=session)


def _asked(desk: Desk, endpoint: Endpoint) -> Any:
    """The route of a question: reads its values, answers in JSON, errors in one line."""

    async def route(request: Request) -> Response:
        try:
            given: Any = dict(request.query_params)
            if endpoint.changes:
                given = json.loads(await request.body())
                if not isinstance(given, dict):
                    raise UsageError("the body: not a JSON object")
            values = read_values(endpoint, given)
            answer = await to_thread.run_sync(endpoint.answer, desk, values)
        except NotThere as error:
            return JSONResponse({"error": str(error)}, 404)
        except (SongscapeError, ValueError, RecursionError) as error:
            text = str(error) if isinstance(error, SongscapeError) else "the body: not JSON"
            return JSONResponse({"error": text}, 400)
        return Response(as_json(answer), media_type="application/json")

    return route


async def _static(request: Request) -> Response:
    """A file of the page; names are looked up in a list, so that nothing else can be asked for."""
    name = request.path_params.get("name", "index.html")
    if name not in _static_names():
        return PlainTextResponse("Not found.", 404)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = "text/javascript" if name.endswith(".js") else kind
    body = (STATIC / name).read_bytes()
    return Response(body, media_type=kind, headers={"Cache-Control": "no-cache"})


def _static_names() -> set[str]:
    return {PurePosixPath(one.name).name for one in STATIC.iterdir() if one.is_file()}


def _report_policy(path: Any) -> str:
    """Of the report: its own script and styles, and nothing from elsewhere."""
    import base64
    import hashlib

    text = path.read_text(encoding="utf-8", errors="replace")
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return REPORT_POLICY.format(digest)
