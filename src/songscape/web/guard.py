"""Who may ask the server: checked before anything else, on every request."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
COOKIE = "songscape"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_BODY = 2_000_000
"""Bytes of a request's body: a playlist of 30,000 ids."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Refuses foreign hosts and origins, and changes without the page's token.

    On loopback only the names of this machine itself are good (a page of another site that lets its
    name point here says its own name); elsewhere any address in figures, `host` and this machine's
    name are, and `token` must be known: it is asked of every visitor, as `?token=` or as a bearer,
    then kept in a cookie. `session` is the page's token: changes need it, and only a page from here
    can read it.
    """

    def __init__(self, app: ASGIApp, *, host: str, token: str | None, session: str) -> None:
        self._app, self._token, self._session = app, token, session
        self._loopback = is_loopback(host)
        here = socket.gethostname().lower()
        self._names = LOOPBACK_NAMES | {host.lower()}
        if not self._loopback:
            self._names |= {here, f"{here}.local", socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        """The response of a refused request; None if it is allowed."""
        asked = HTTPConnection(scope)
        headers = asked.headers
        if not self._is_host(headers.getlist("host")):
            return PlainTextResponse("This server does not go by that name.", 421)
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("Only GET, HEAD and POST.", 405)
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != headers["host"].lower()
        followed = scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
        if foreign or (site not in ("same-origin", "none") and not followed):
            return PlainTextResponse("Asked by a page of another site.", 403)
        refusal = self._unknown(asked)
        if refusal is not None or scope["method"] != "POST":
            return refusal
        if not _same(headers.get("x-songscape-token"), self._session):
            return PlainTextResponse("Changes need the token of a page from here.", 403)
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return PlainTextResponse("Changes are sent as application/json.", 415)
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MOST_BODY:
            return PlainTextResponse("Too long, or of unknown length.", 413)
        return None

    def _is_host(self, given: list[str]) -> bool:
        """Whether the one Host header names this machine."""
        if len(given) != 1:
            return False
        try:
            parts = urlsplit(f"//{given[0]}")
            name, _ = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if parts.netloc != given[0] or "@" in given[0]:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return not self._loopback

    def _unknown(self, asked: HTTPConnection) -> Response | None:
        """Who does not know the token; who brings it in the address gets it as a cookie."""
        if self._token is None:
            return None
        query, path = asked.query_params, asked.scope["path"]
        if path.startswith("/rest/") and _same(query.get("apiKey"), self._token):
            return None  # how Subsonic's clients name themselves
        if _same(query.get("token"), self._token):
            rest = urlencode([one for one in query.multi_items() if one[0] != "token"])
            answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return answer
        kind, _, bearer = asked.headers.get("authorization", "").partition(" ")
        if _same(asked.cookies.get(COOKIE), self._token):
            return None
        if kind.lower() == "bearer" and _same(bearer.strip(), self._token):
            return None
        return PlainTextResponse("Open the address with ?token=, as the terminal showed it.", 401)


def _same(given: str | None, wanted: str) -> bool:
    return given is not None and secrets.compare_digest(given.encode(), wanted.encode())
