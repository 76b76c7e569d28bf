"""WebSocket conversations over invocations: each event runs the application up to where that event ends.

    $connect     from the start to the first `receive` after `accept`; then the record is kept
    message      replayed from the start, given the message, up to the next `receive`
    $disconnect  replayed from the start, given the end; then the record goes

Or, where they are resident, resumed where they wait, as long as the same environment gets their events.
"""

from __future__ import annotations

import logging
from contextvars import copy_context
from functools import partial

from lambent.asgi.scope import websocket_scope
from lambent.asgi.websocket import CLOSED, GONE, WebSocketConversation
from lambent.errors import (
    ConnectionGone,
    IncompleteResponse,
    InvalidMessage,
    MalformedEvent,
    UnexpectedMessage,
)
from lambent.gateway import websocket_api
from lambent.gateway.model import Response
from lambent.websocket.archive import Archive
from lambent.websocket.peers import LIVE, Knocking, Live, is_disconnect, store_error
from lambent.websocket.record import Record
from lambent.websocket.resident import Held, Residents
from lambent.websocket.run import Run
from lambent.websocket.visit import Visit, handshake, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.gateway.model import Settings
    from lambent.stores.model import Store
    from lambent.types import ASGIApp, Event, Invocation, Message
    from lambent.websocket.archive import Kept
    from lambent.websocket.setup import Posters

logger = logging.getLogger("lambent")


class Conversations:
    """All of one application's. Made with the first event of a WebSocket.

    - `posters`: by the endpoints of management APIs
    - `endpoint`: event → that endpoint
    - `permit`: response that refuses a client or says that an event has failed, exception of the application → what
      is sent of it; raises what fails the invocation
    - `state`: what the lifespan has left
    """

    def __init__(
        self,
        app: ASGIApp,
        store: Store,
        posters: Posters,
        endpoint: Callable[[Event], str],
        settings: Settings,
        *,
        permit: Callable[[Response, BaseException | None], Response],
        state: Callable[[], dict[str, object]],
        resident: bool,
    ) -> None:
        self._app = app
        self._archive = Archive(store)
        self._posters = posters
        self._endpoint = endpoint
        self._settings = settings
        self._permit = permit
        self._state = state
        self._residents = Residents(self._save) if resident else None
        self._warned = False

    async def serve(self, invocation: Invocation) -> None:
        """Run the application on one event. There is a reply, unless something is raised: StoreError, for one."""
        event = invocation.event
        try:
            kind, connection_id = websocket_api.origin(event)
            serve = {
                websocket_api.CONNECT: self._connect,
                websocket_api.MESSAGE: self._message,
                websocket_api.DISCONNECT: self._disconnect,
            }[kind]
            if self._residents is None:
                await serve(invocation, event, connection_id)
            else:
                async with self._residents.turn(connection_id):
                    await serve(invocation, event, connection_id)
        except MalformedEvent as error:
            logger.warning("websocket_api event refused: %s", error)
            await self._reply(invocation, Response(error.status, [], str(error).encode()))

    async def end(self) -> None:
        """End the conversations that wait here."""
        if self._residents is not None:
            await self._residents.close()

    async def close(self) -> None:
        """Close what leads to the store and to the clients."""
        await self._posters.close()
        await self._archive.store.close()

    # $connect

    async def _connect(self, invocation: Invocation, event: Event, connection_id: str) -> None:
        request, connected_at = handshake(event, self._settings)
        protocols = websocket_api.subprotocols(request.headers)
        record = Record(request, protocols, connected_at, self._endpoint(event))
        kept = self._archive.new(connection_id, record)
        live = self._live(kept)

        async def let_in(welcome: Response) -> None:
            await self._save(visit)
            await self._reply(invocation, welcome)

        knocking = Knocking(record, live, prompt=invocation.prompt, let_in=let_in)
        conversation = WebSocketConversation(knocking, None, replaying=False)
        if self._residents is not None:
            record.owner = self._residents.environment
            await self._residents.drop(connection_id)  # of a `$connect` that comes twice
        visit = self._begun(invocation, "connect", kept, live, conversation)
        try:
            await self._decide(invocation, visit, knocking, kept)
        except BaseException as error:
            live.first = None
            await knocking.leave()
            await self._end(visit, error)
            if not isinstance(error, InvalidMessage):
                raise
            if not knocking.opened:
                await self._fail(invocation, error)
                return
            self._tell(error)  # the reply has left
            await live.close()

    async def _decide(self, invocation: Invocation, visit: Visit, knocking: Knocking, kept: Kept) -> None:
        """Run up to where the event ends, and let the client in or not. Raises InvalidMessage for its session."""
        conversation = visit.run.conversation
        waits = await visit.run.until_idle()
        if not conversation.accepted or (visit.run.error is not None and not await knocking.shut()):
            await self._turn_away(invocation, visit, knocking, waits=waits)
            return
        if not waits or conversation.state is CLOSED:
            await self._ended_at_once(invocation, visit, knocking, kept)
            return
        if invocation.prompt:
            await knocking.open()
        conversation.peer = visit.live
        await self._rest(visit)
        if not knocking.opened:
            self._warn(kept.record)
            await knocking.open()
        else:
            await self._save(visit)

    async def _turn_away(self, invocation: Invocation, visit: Visit, knocking: Knocking, *, waits: bool) -> None:
        """The application has not accepted the client, or has failed before the client was let in."""
        error = visit.run.error
        visit.live.first = None
        await self._end(visit)
        if knocking.refusal is not None:
            await self._fail(invocation, error, knocking.refusal)
            return
        if not isinstance(error, Exception):
            what = "asked for a message" if waits else "returned"
            error = IncompleteResponse(f"The application {what} before it had accepted or refused the connection.")
        await self._fail(invocation, error)

    async def _ended_at_once(self, invocation: Invocation, visit: Visit, knocking: Knocking, kept: Kept) -> None:
        """The application has accepted the client, and is through with it: it gets what was sent, and is closed."""
        error, gone = visit.run.error, visit.run.conversation.state is GONE
        await self._end(visit)
        if not (gone and is_disconnect(error)):
            self._tell(error)
        kept.record.closing = True
        if not invocation.prompt:
            self._warn(kept.record)
        await knocking.open()
        if invocation.prompt:
            await visit.live.close()

    # messages

    async def _message(self, invocation: Invocation, event: Event, connection_id: str) -> None:
        data = websocket_api.message(event)
        message: Message = {"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data}
        await self._given(invocation, "message", message, connection_id)

    async def _disconnect(self, invocation: Invocation, event: Event, connection_id: str) -> None:
        code, reason = websocket_api.ending(event)
        message: Message = {"type": "websocket.disconnect", "code": code, "reason": reason}
        await self._given(invocation, "disconnect", message, connection_id)

    async def _given(self, invocation: Invocation, kind: str, message: Message, connection_id: str) -> None:
        """Run the conversation with what has come."""
        kept = await self._archive.load(connection_id)
        if kept is None:
            await self._unknown(invocation, kind, connection_id)
            return
        live = self._live(kept)
        if kind == "message" and not await self._delivered(kept, live):
            await self._reply(invocation, Response(200, [], b""))
            return
        visit = await self._resumed(invocation, kind, message, kept)
        if visit is None:
            conversation = WebSocketConversation(live, message, replaying=True)
            visit = self._begun(invocation, kind, kept, live, conversation)
        if kind == "message":  # what the client answers may be served elsewhere, before this event ends
            visit.live.first = partial(self._save, visit)
        try:
            error = await self._run(visit)
            if error is None:
                await self._rest(visit)
                if kind == "message" and not visit.live.closed:
                    await self._save(visit)
                if visit.run.stray:
                    error = UnexpectedMessage("The application has received in a task that it has left behind.")
        except InvalidMessage as fault:  # of the session
            error = fault
            await visit.live.close()
        except BaseException as fault:
            await self._end(visit, fault)
            raise
        finally:
            if kind == "disconnect":
                await self._archive.delete(kept)
        if error is not None:
            await self._end(visit)
            await self._fail(invocation, error)
            return
        await self._reply(invocation, Response(200, [], b""))

    async def _run(self, visit: Visit) -> Exception | None:
        """Run up to where the event ends. Returns what is to fail it: then the connection is closed."""
        run, conversation = visit.run, visit.run.conversation
        waits = await run.until_idle()
        gone = conversation.state is GONE
        error = run.error
        if visit.live.failure is not None and waits and conversation.state is not CLOSED:
            await visit.live.settle()  # the application goes on, and so may its store
        failure = visit.live.failure or store_error(error)
        if failure is not None:  # of the session, or its own: the connection stays
            raise failure
        if isinstance(error, Exception) and not (gone and is_disconnect(error)):
            if not gone:
                await visit.live.close()
            return error
        if waits and not conversation.accepted:
            error = IncompleteResponse("The application asked for a message before it had accepted the connection.")
            await run.unwind()
            await visit.live.close()
            return error
        if not gone and (not waits or conversation.state is CLOSED):
            await visit.live.close()
        return None

    async def _delivered(self, kept: Kept, live: Live) -> bool:
        """Send what waits in the record, once. Returns whether the connection goes on."""
        record = kept.record
        pending, closing = record.pending, record.closing
        if not pending and not closing:
            return True
        record.pending, record.closing = [], False
        if not await self._archive.claim(kept):  # another event of the connection sends it
            return not closing
        try:
            for data in pending:
                await live.send(data)
        except ConnectionGone:
            pass  # which the application finds out by itself, or from `$disconnect`
        if closing:
            await live.close()
        return not closing

    async def _unknown(self, invocation: Invocation, kind: str, connection_id: str) -> None:
        """There is no record: of a message, the client has to connect again."""
        if self._residents is not None:
            await self._residents.finish(connection_id)
        if kind == "disconnect":
            await self._reply(invocation, Response(200, [], b""))
            return
        logger.warning("Connection %s has no record, or it has expired; it is closed.", connection_id)
        await self._posters.to(self._endpoint(invocation.event)).close(connection_id)
        await self._reply(invocation, Response(410, [], b""))

    # what all of them do

    def _live(self, kept: Kept) -> Live:
        async def forget() -> None:
            await self._archive.delete(kept)

        record = kept.record
        poster = self._posters.to(record.endpoint)
        return Live(kept.connection_id, record.connected_at, poster, forget, record.endpoint)

    def _begun(
        self, invocation: Invocation, kind: str, kept: Kept, live: Live, conversation: WebSocketConversation
    ) -> Visit:
        """Begin a run from the start."""
        record = kept.record
        extension: dict[str, object] = {
            "connection_id": kept.connection_id,
            "endpoint": record.endpoint,
            "session": record.session,
        }
        extension |= told(invocation.event, kind)
        event, context = invocation.event, invocation.context
        scope = websocket_scope(record.request(), record.subprotocols, event, context, self._state(), extension)
        surroundings = copy_context()
        surroundings.run(LIVE.set, live)
        visit = Visit(kept, scope, extension, live, Run(self._app, scope, conversation, surroundings))
        if self._residents is not None:
            self._residents.keep(kept.connection_id, visit, Held(invocation, surroundings))
        return visit

    async def _resumed(self, invocation: Invocation, kind: str, message: Message, kept: Kept) -> Visit | None:
        """The conversation that waits here, given what has come; None if it has to be replayed."""
        residents, record = self._residents, kept.record
        if residents is None:
            return None
        resident = residents.find(kept.connection_id)
        if resident is None or record.owner != residents.environment:
            missed = await residents.drop(kept.connection_id)  # an event, so that it cannot go on
            if missed is not None:
                self._archive.catch_up(kept, missed)
            if record.owner != residents.environment:
                record.owner = residents.environment
                if kind == "message":
                    await self._archive.save(kept)
            return None
        visit = resident.visit
        self._archive.catch_up(kept, visit)
        visit.kept = kept
        visit.scope["aws.event"], visit.scope["aws.context"] = invocation.event, invocation.context
        visit.extension |= told(invocation.event, kind)
        resident.hold(invocation)
        record.session = kept.into(visit.extension.get("session"))
        visit.run.conversation.feed(message)
        return visit

    async def _rest(self, visit: Visit) -> None:
        """The application waits: let it, where conversations are resident, or unwind it."""
        visit.live.first = None
        goes_on = visit.run.conversation.waits and visit.run.conversation.state not in (CLOSED, GONE)
        if self._residents is not None and goes_on and not visit.run.task.done():
            await self._residents.park(visit.kept.connection_id)
        else:
            await self._end(visit)

    async def _end(self, visit: Visit, error: BaseException | None = None) -> None:
        """Let nothing of it run on. Where it is a deadline that ends it, there is a moment for its cleanup."""
        if self._residents is not None:
            self._residents.leave(visit.kept.connection_id)
        if error is None or isinstance(error, Exception):
            await visit.run.unwind()
        else:
            await visit.run.leave()

    async def _save(self, visit: Visit) -> None:
        """Keep the session that the application has. Raises InvalidMessage for one that cannot be kept."""
        kept = visit.kept
        session = kept.record.session = visit.session()
        await self._archive.save(kept)
        kept.record.session = kept.into(session)  # with what other events have changed meanwhile

    async def _fail(
        self, invocation: Invocation, error: BaseException | None, response: Response | None = None
    ) -> None:
        """Answer, with 500 unless it is said, and log why; or raise it."""
        response = self._permit(response or Response(500, [], b""), error)
        self._tell(error)
        await self._reply(invocation, response)

    def _tell(self, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            traceback = (type(error), error, error.__traceback__) if error.__traceback__ else None
            what = "The application raised" if traceback else str(error).removesuffix(".")
            logger.error("%s; the connection is closed.", what, exc_info=traceback)

    def _warn(self, record: Record) -> None:
        if not self._warned and (record.pending or record.closing):
            self._warned = True
            logger.warning(
                "What the application sends at $connect waits for that connection's next event, because in this "
                "runtime the reply leaves at the end only. Lambent's runtime sends it at once."
            )

    async def _reply(self, invocation: Invocation, response: Response) -> None:
        await invocation.reply(websocket_api.reply(response, invocation.event, self._settings))
