"""uvicorn's side of a connection, with a limit to what it keeps of a head."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT = 256 * 1024
"""Bytes that a head may have, give or take what one read brings. No front door of AWS takes as many."""

TEXT = b"The head of a request has at most %d bytes.\n" % HEAD_LIMIT
TOO_LARGE = b"".join(
    [
        b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n",
        b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(TEXT), TEXT),
    ]
)


class HTTPConnection(HttpToolsProtocol):
    """uvicorn itself takes whatever comes until a head ends."""

    _unread = 0
    """Bytes since the last thing that was understood."""

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > HEAD_LIMIT and not self.transport.is_closing():
            if getattr(self.cycle, "response_complete", True):  # before the first request there is none
                self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()
