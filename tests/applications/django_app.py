"""A Django project in one file: its settings, its views, its URLs, and what `asgi.py` has."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect, JsonResponse
from django.http import StreamingHttpResponse as Stream
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

settings.configure(
    SECRET_KEY="not secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    LOGGING_CONFIG=None,
    USE_TZ=True,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)

PIXEL = b"\x89PNG\r\n\x1a\n\0\xff\0\x80"


async def item(request: Any, item_id: int) -> Any:
    if request.method == "DELETE":
        return HttpResponse(status=204)
    return JsonResponse({"item_id": item_id, "tags": request.GET.getlist("tags")})


async def create(request: Any) -> Any:
    import json

    return JsonResponse(json.loads(request.body), status=201)


async def look(request: Any, rest: str) -> Any:
    return JsonResponse(
        {
            "url": request.build_absolute_uri(),
            "url_for": request.build_absolute_uri(reverse("item", args=[9])),
            "path": request.path,
            "path_info": request.path_info,
            "root_path": request.META["SCRIPT_NAME"],
            "query": list(request.GET.lists()),
            "cookies": request.COOKIES,
            "method": request.method,
            "secure": request.is_secure(),
            "client": request.META["REMOTE_ADDR"],
            "custom": request.headers.get("x-custom"),
            "tags": request.headers.get("x-tag"),
            "user_agent": request.headers.get("user-agent"),
            "rest": rest,
        }
    )


def threaded(request: Any) -> Any:
    return HttpResponse("from a thread")


async def bug(request: Any) -> Any:
    raise ZeroDivisionError("The application's own.")


async def me(request: Any) -> Any:
    return HttpResponse(request.COOKIES.get("session", "nobody"))


async def login(request: Any) -> Any:
    response = HttpResponseRedirect(reverse("me"))
    response.set_cookie("session", request.POST["name"], httponly=True)
    response.set_cookie("theme", "dark; gray", secure=True)
    return response


async def upload(request: Any) -> Any:
    file = request.FILES["file"]
    return JsonResponse({"name": file.name, "type": file.content_type, "hex": file.read().hex()})


async def lines() -> AsyncIterator[bytes]:
    for number in range(3):
        await asyncio.sleep(0)
        yield f"{number}\n".encode()


async def stream(request: Any) -> Any:
    return Stream(lines(), content_type="text/plain")


async def pixel(request: Any) -> Any:
    return HttpResponse(PIXEL, content_type="image/png")


async def text(request: Any) -> Any:
    return HttpResponse("Glühlämpchen 💡", content_type="text/plain; charset=utf-8", headers={"vary": "accept"})


async def latin(request: Any) -> Any:
    return HttpResponse("café", content_type="text/plain; charset=latin-1")


async def moved(request: Any) -> Any:
    return HttpResponsePermanentRedirect(request.build_absolute_uri(reverse("item", args=[9])))


urlpatterns = [
    path("items/<int:item_id>", require_http_methods(["GET", "HEAD", "DELETE"])(item), name="item"),
    path("items", create),
    path("seen/<path:rest>", look),
    path("threaded", threaded),
    path("bug", bug),
    path("me", me, name="me"),
    path("slashed/", me),
    path("login", login),
    path("upload", upload),
    path("stream", stream),
    path("pixel", pixel),
    path("text", text),
    path("latin", latin),
    path("moved", moved),
]

app = get_asgi_application()
