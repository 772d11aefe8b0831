"""Swagger UI at /docs, from the files of an installed package: no CDN, no request to anyone else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from aiohttp import web

STATIC = files("swagger_ui") / "static"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AQM</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, tryItOutEnabled: true
});
"""
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
"""Swagger UI sets styles inline; nothing else may come from elsewhere."""


def _page(body: bytes, content_type: str) -> Callable[[web.BaseRequest], Awaitable[web.Response]]:
    async def answer(_request: web.BaseRequest) -> web.Response:
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

    return answer


PAGES = {
    "/docs": _page(PAGE.encode(), "text/html"),
    "/docs/start.js": _page(START.encode(), "text/javascript"),
    "/docs/swagger-ui.css": _page((STATIC / "swagger-ui.css").read_bytes(), "text/css"),
    "/docs/swagger-ui-bundle.js": _page((STATIC / "swagger-ui-bundle.js").read_bytes(), "text/javascript"),
}
"""Path → handler."""
