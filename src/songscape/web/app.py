"""The server: the page, its questions and the audio, behind the guard."""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import secrets
from importlib.resources import files
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from songscape.errors import SongscapeError, UsageError
from songscape.results import ResultsFolder
from songscape.web.api import ID, QUESTIONS
from songscape.web.atlas import NotThere
from songscape.web.audio import audio_response
from songscape.web.desk import Desk
from songscape.web.guard import Guard
from songscape.web.interface import Field, Question, openapi
from songscape.web.packing import as_json
from songscape.web.subsonic import NAMES, answer_subsonic, as_xml
from songscape.web.transcode import Transcoder

REPORT_POLICY = (
    "default-src 'none'; script-src 'sha256-{}'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
STATIC = {path.name: path for path in (files("songscape.web") / "static").iterdir()}
"""The files of the page by name: nothing else can be asked for."""


_FLAC = Field("as", "converted, where a browser can't play it", choices=("flac",))
OTHERS = (
    Question("/api/map", "all songs, their places, groups and columns"),
    Question("/api/audio", "a song; ranges of bytes are answered", fields=(ID, _FLAC)),
    Question("/api/session", "the token that changes need, in the header X-Songscape-Token"),
)


def make_app(
    folder: ResultsFolder | Desk, *, host: str = "127.0.0.1", token: str | None = None
) -> ASGIApp:
    """The application that `songscape serve` runs; see `Guard` for host and token."""
    desk = folder if isinstance(folder, Desk) else Desk(folder)
    transcoder = Transcoder()
    session = secrets.token_urlsafe(32)

    def whole_map(request: Request) -> Response:
        shown = desk.shown
        tag = f'"{shown.version}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(shown.map_json, media_type="application/json", headers=headers)

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

    def report(_request: Request) -> Response:
        """With its own script and styles, and nothing from elsewhere."""
        path = desk.folder.tables / "report.html"
        if not path.is_file():
            return PlainTextResponse("There is no report yet.", 404)
        text = path.read_text(encoding="utf-8", errors="replace")
        script = text.rpartition("<script>")[2].partition("</script>")[0]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = REPORT_POLICY.format(digest)
        return FileResponse(path, headers={"Content-Security-Policy": policy})

    def given_session(_request: Request) -> Response:
        return JSONResponse({"token": session})

    def subsonic(request: Request) -> Response:
        given = dict(request.query_params)
        name = request.path_params["name"].removesuffix(".view")
        if name not in NAMES:
            raise HTTPException(404)
        answer = answer_subsonic(desk, name, given)
        if given.get("f") == "json":
            return _json({"subsonic-response": answer})
        return Response(as_xml(answer), media_type="application/xml")

    def described(_request: Request) -> Response:
        return _json(openapi((*OTHERS, *QUESTIONS)))

    routes = [
        Route("/", _static),
        Route("/static/{name:path}", _static),
        Route("/report", report),
        Route("/rest/{name}", subsonic),
        Route("/api/map", whole_map),
        Route("/api/audio", audio),
        Route("/api/session", given_session),
        Route("/api/openapi.json", described),
        *(Route(one.path, _asked(desk, one), methods=[one.method]) for one in QUESTIONS),
    ]
    return Guard(Starlette(routes=routes), host=host, token=token, session=session)


def _asked(desk: Desk, question: Question) -> Any:
    """The route of a question: reads its values, answers in JSON, errors in one line."""
    assert question.answer is not None
    reply = question.answer

    async def route(request: Request) -> Response:
        try:
            given: Any = dict(request.query_params)
            if question.changes:
                given = json.loads(await request.body())
                if not isinstance(given, dict):
                    raise UsageError("the body: not a JSON object")
            answer = await to_thread.run_sync(reply, desk, question.read(given))
        except SongscapeError as error:
            return _json({"error": str(error)}, 404 if isinstance(error, NotThere) else 400)
        except (ValueError, RecursionError):
            return _json({"error": "the body: not JSON"}, 400)
        return _json(answer)

    return route


def _json(value: Any, status: int = 200) -> Response:
    return Response(as_json(value), status, media_type="application/json")


def _static(request: Request) -> Response:
    name = request.path_params.get("name", "index.html")
    if name not in STATIC:
        raise HTTPException(404)
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    headers = {"Cache-Control": "no-cache"}
    return Response(STATIC[name].read_bytes(), media_type=kind, headers=headers)
