"""Parameters of the SSM Parameter Store: read when they are asked for, and kept for a while.

    parameters = ParameterStore()

    password = await parameters.get("/app/db/password")

What is kept is in memory, and with SnapStart in the snapshot, for as long as that lives: ask for secrets after the
restore, in the first request or in a hook, not at import. Time is told by the wall clock, so that what was kept before
a freeze or in a snapshot is as old as it is.

Source: AWS Systems Manager API Reference, GetParameter, GetParameters, GetParametersByPath.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from functools import partial

from lambent.aws.client import Client
from lambent.aws.credentials import Provider
from lambent.aws.credentials import region as usual_region
from lambent.aws.partition import suffix
from lambent.aws.transport import Transport
from lambent.errors import ConfigurationError, ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from typing import Any

    from lambent.aws.response import Response

    Key = tuple[str | bool, ...]
    """Name and whether it is decrypted; of a path also whether with all below it."""
    Asked = asyncio.Task[dict[str, "Parameter"]]

NEEDS = (
    "ssm:GetParameter, GetParameters and GetParametersByPath on the parameters, and kms:Decrypt on the key of a "
    "SecureString"
)
DENIED = {"AccessDeniedException", "AccessDenied"}
ABSENT = {"ParameterNotFound", "ParameterVersionNotFound"}
PAGE = 10
"""Parameters that one request gives at most."""
LONGEST = 300
"""Characters of a service's own words that are passed on."""


class Parameter:
    """One that was read. Its value is in no text that is made of it."""

    __slots__ = ("kind", "value")

    def __init__(self, value: str, kind: str) -> None:
        self.value = value
        self.kind = kind
        """`String`, `StringList` or `SecureString`."""


class ParameterStore:
    """Reads parameters, and keeps them for `ttl` seconds; who asks for the same at the same time shares a request.

    - `region`: else AWS_REGION, AWS_DEFAULT_REGION or the profile's
    - `endpoint_url`: else AWS_ENDPOINT_URL_SSM, AWS_ENDPOINT_URL, or AWS's own
    - `credentials`, `transport`: shared with others, or its own

    Names may end with a version or a label, `/app/key:3`, and be ARNs. All methods raise ServiceError if the service
    answers with an error or not at all, with the code `ParameterNotFound` for what is not there, and ConfigurationError
    if there are no credentials, or nothing tells the region. No message has a value in it. With `force` the service is
    asked, whatever is kept.
    """

    def __init__(
        self,
        *,
        region: str = "",
        endpoint_url: str = "",
        ttl: float = 300.0,
        credentials: Provider | None = None,
        transport: Transport | None = None,
        environ: Mapping[str, str] = os.environ,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is looked up yet: it may be made at import. Raises ConfigurationError for a `ttl` that is none."""
        self._region = region
        self._endpoint_url = endpoint_url
        self._ttl = _seconds(ttl)
        self._credentials = credentials
        self._transport = transport or Transport()
        self._owns_transport = transport is None
        self._environ = environ
        self._now = now
        self._client: Client | None = None
        self._kept: dict[Key, tuple[float, dict[str, Parameter]]] = {}
        """Until when it is good, and what it is: of a name, or of all under a path."""
        self._asked: dict[Key, Asked] = {}
        """What is being asked for, and by which task."""
        self._tasks: set[Asked] = set()
        """All that ask, also those whose answer is not wanted any more."""

    async def get(self, name: str, *, decrypt: bool = True, force: bool = False) -> str:
        """The value; that of a StringList with commas in it. `decrypt` is for a SecureString, and else says nothing."""
        return (await self._get(name, decrypt=decrypt, force=force)).value

    async def get_list(self, name: str, *, decrypt: bool = True, force: bool = False) -> list[str]:
        """The values of a StringList. Raises ConfigurationError if it is none."""
        parameter = await self._get(name, decrypt=decrypt, force=force)
        if parameter.kind != "StringList":
            raise ConfigurationError(
                f"Expected the parameter {name!r} to be a StringList, but it is a {parameter.kind}."
            )
        return parameter.value.split(",")

    async def get_many(self, names: Iterable[str], *, decrypt: bool = True, force: bool = False) -> dict[str, str]:
        """The values by name, asked for ten at a time. Raises ServiceError that names all that are not there."""
        if isinstance(names, str):
            raise ConfigurationError(f"Expected several texts as names, such as [{names!r}], but got {names!r}.")
        wanted = [_named(name) for name in dict.fromkeys(names)]
        new = [name for name in wanted if not self._is_known((name, decrypt), force=force)]
        for first in range(0, len(new), PAGE):
            some = new[first : first + PAGE]
            self._begin([(name, decrypt) for name in some], self._ask_many(some, decrypt=decrypt))
        found: dict[str, Parameter] = {}
        for task_or_kept in [self._known((name, decrypt)) for name in wanted]:
            found |= await _settled(task_or_kept)
        if missing := [name for name in wanted if name not in found]:
            raise self._missing(missing)
        return {name: found[name].value for name in wanted}

    async def path(
        self, path: str, *, recursive: bool = True, decrypt: bool = True, force: bool = False
    ) -> dict[str, str]:
        """Return the values of all under the path, by their whole names: `/app/db/password`. There may be none."""
        if not _named(path).startswith("/"):
            raise ConfigurationError(f"Expected a path of parameters to begin with a slash, but got {path!r}.")
        key = (path, decrypt, recursive)
        if not self._is_known(key, force=force):
            self._begin([key], self._ask_path(path, recursive=recursive, decrypt=decrypt))
        return {name: each.value for name, each in (await _settled(self._known(key))).items()}

    async def close(self) -> None:
        """Forget what is kept, and close its connections, but those of a shared transport. It may be used again.

        Whoever waits for an answer on this loop gets ServiceError.
        """
        loop = asyncio.get_running_loop()
        asking = [task for task in self._tasks if task.get_loop() is loop]
        for task in asking:
            task.cancel()
        try:
            await asyncio.gather(*asking, return_exceptions=True)
        finally:
            self._kept.clear()
            if self._owns_transport:
                self._transport.close()

    async def _get(self, name: str, *, decrypt: bool, force: bool) -> Parameter:
        key = (_named(name), decrypt)
        if not self._is_known(key, force=force):
            self._begin([key], self._ask_one(name, decrypt=decrypt))
        found = await _settled(self._known(key))
        if name not in found:
            raise self._missing([name])
        return found[name]

    # What is kept, and what is on its way

    def _is_known(self, key: Key, *, force: bool) -> bool:
        """Whether it is kept and still good, or was asked for. What was asked for on another loop never comes."""
        asked = self._asked.get(key)
        if asked is not None and asked.get_loop() is not asyncio.get_running_loop():
            del self._asked[key]
        if force:
            return False
        until, _ = self._kept.get(key, (0.0, {}))
        if until > self._now():
            return True
        self._kept.pop(key, None)
        return key in self._asked

    def _known(self, key: Key) -> Asked | dict[str, Parameter]:
        return self._asked.get(key) or self._kept[key][1]

    def _begin(self, keys: list[Key], asking: Coroutine[Any, Any, dict[str, Parameter]]) -> None:
        """Ask in a task of its own: whoever is cancelled, the others that wait are not."""
        task = asyncio.create_task(asking)
        self._asked.update(dict.fromkeys(keys, task))
        self._tasks.add(task)
        task.add_done_callback(partial(self._end, keys))

    def _end(self, keys: list[Key], task: Asked) -> None:
        """Keep what came, unless it was asked for again meanwhile."""
        self._tasks.discard(task)
        wanted = [key for key in keys if self._asked.get(key) is task]
        for key in wanted:
            del self._asked[key]
        found = {} if task.cancelled() or task.exception() else task.result()
        until = self._now() + self._ttl
        for key in wanted:
            if len(key) == 3 and found:
                self._kept[key] = until, found
                self._kept.update({(name, key[1]): (until, {name: each}) for name, each in found.items()})
            elif key[0] in found:
                self._kept[key] = until, {str(key[0]): found[str(key[0])]}

    # What is asked

    async def _ask_one(self, name: str, *, decrypt: bool) -> dict[str, Parameter]:
        response = await self._call("GetParameter", {"Name": name, "WithDecryption": decrypt})
        if response.code in ABSENT:
            return {}
        return {name: _read(self._answer(response, "Parameter"))}

    async def _ask_many(self, names: list[str], *, decrypt: bool) -> dict[str, Parameter]:
        response = await self._call("GetParameters", {"Names": names, "WithDecryption": decrypt})
        found: dict[str, Parameter] = {}
        for each in self._answer(response, "Parameters"):
            selector = each.get("Selector", "")
            for name in (each["Name"], each.get("ARN", "")):
                found[f"{name}{selector}"] = _read(each)
        return {name: found[name] for name in names if name in found}

    async def _ask_path(self, path: str, *, recursive: bool, decrypt: bool) -> dict[str, Parameter]:
        fields = {"Path": path, "Recursive": recursive, "WithDecryption": decrypt, "MaxResults": PAGE}
        found: dict[str, Parameter] = {}
        while True:
            response = await self._call("GetParametersByPath", fields)
            found |= {each["Name"]: _read(each) for each in self._answer(response, "Parameters")}
            after = _object(response.body).get("NextToken")
            if not after:
                return found
            fields["NextToken"] = after

    async def _call(self, operation: str, fields: Mapping[str, object]) -> Response:
        headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", f"AmazonSSM.{operation}")]
        return await self._asking().call("POST", "/", headers=headers, body=json.dumps(fields).encode())

    def _asking(self) -> Client:
        if self._client is None:
            region = self._region or usual_region(self._environ)
            endpoint = (
                self._endpoint_url
                or self._environ.get("AWS_ENDPOINT_URL_SSM")
                or self._environ.get("AWS_ENDPOINT_URL")
                or f"https://ssm.{region}.{suffix(region)}"
            )
            credentials = self._credentials or Provider(self._environ, transport=self._transport)
            self._client = Client("ssm", endpoint, region, credentials=credentials, transport=self._transport)
        return self._client

    # What is answered

    def _answer(self, response: Response, field: str) -> Any:
        """What the answer has there. Raises ServiceError for an error, and for what is no answer of this service."""
        if response.status != 200:
            raise self._failure(response)
        answer = _object(response.body).get(field)
        if answer is None:
            raise ServiceError(f"{self._asking()!r}: expected parameters, but got something else.", response.status)
        return answer

    def _failure(self, response: Response) -> ServiceError:
        """What it says, and what to do."""
        code, lines = response.code, response.message.splitlines()
        said = f"{code or response.status}{f' ({lines[0][:LONGEST]})' if lines else ''}."
        if code in DENIED:
            said += f" The function's role, or whose credentials these are, needs {NEEDS}."
        return ServiceError(f"{self._asking()!r}: {said}", response.status, code)

    def _missing(self, names: list[str]) -> ServiceError:
        them = ", ".join(map(repr, names))
        return ServiceError(
            f"{self._asking()!r}: ParameterNotFound: {them}. Check the name, with the slash it begins with, the "
            "version or label behind its colon, the account and the region.",
            400,
            "ParameterNotFound",
        )


async def _settled(known: Asked | dict[str, Parameter]) -> dict[str, Parameter]:
    if isinstance(known, dict):
        return known
    try:
        return await asyncio.shield(known)
    except asyncio.CancelledError:
        me = asyncio.current_task()
        if not known.cancelled() or (me is not None and me.cancelling()):
            raise
    raise ServiceError("The ParameterStore was closed before it answered.")


def _seconds(ttl: object) -> float:
    if isinstance(ttl, int | float) and ttl >= 0:
        return ttl
    raise ConfigurationError(f"Expected `ttl` to be a number of seconds from 0, but got {ttl!r}.")


def _named(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"Expected the name of a parameter, such as /app/db/password, but got {name!r:.100}.")
    return name


def _read(said: dict[str, str]) -> Parameter:
    return Parameter(said["Value"], said["Type"])


def _object(body: bytes) -> dict[str, Any]:
    """What JSON says, if it is an object; else nothing, and no error that would hold the body."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
