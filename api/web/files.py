"""Static files of the pages: style, script and icon, addressed by content hash."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse

from api.templating import LASTING, STATIC
from cardwatch.errors import NotFound

router = APIRouter()
FILE_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8"}  # fmt: skip
NAMES = frozenset(path.name for path in STATIC.iterdir())


@router.get("/static/{name}")
def get_file(name: str) -> FileResponse:
    """Give one of the files."""
    if name not in NAMES:
        raise NotFound("There is no such file.")
    path = STATIC / name
    return FileResponse(
        path, media_type=FILE_TYPES[path.suffix], headers={"Cache-Control": LASTING}
    )
