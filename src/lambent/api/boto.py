"""How clients of AWS services are set up: for boto3, aiobotocore and aioboto3, none of which is imported before."""

from __future__ import annotations

from lambent.api.json_body import DIGITS, LONG
from lambent.api.variables import settings
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from botocore.config import Config


def botocore_config(*, fast_json: bool = False, **more: Any) -> Config:
    """Make the `config` of a client, as the settings are; `more` is passed on to botocore's Config, and wins.

        boto3.client("s3", config=botocore_config())
        aioboto3.Session().client("s3", config=botocore_config())

    With `fast_json`, botocore writes and reads JSON by orjson, from now on and for all clients of the process, for it
    has no place for that in a client. What orjson does not do as the standard library does is still done by that.
    Raises ConfigurationError if botocore, or orjson for `fast_json`, is not installed.
    """
    try:
        from botocore.config import Config
    except ImportError:
        raise ConfigurationError(
            'botocore_config needs botocore, which is not installed. Run: pip install "lambent[aws]"'
        ) from None
    if fast_json:
        _install()
    usual: dict[str, Any] = {
        "connect_timeout": settings.connection_timeout,
        "read_timeout": settings.read_timeout,
        "parameter_validation": settings.boto_parameter_validation,
        "max_pool_connections": settings.boto_max_pool_connections,
        "retries": {"mode": "standard"},
    }
    return Config(**(usual | more))


def _install() -> None:
    """Put orjson where botocore looks for json: once, however often it is asked for."""
    from botocore import parsers, serialize

    for module in (parsers, serialize):
        if not isinstance(module.json, FastJSON):
            module.json = FastJSON(module.json)


class FastJSON:
    """The functions of `json` that botocore calls, by orjson; the rest is that of `json`.

    Facts: where it reads, orjson makes floats of ints beyond 64 bits, and refuses NaN and lone surrogates. Where it
    writes, it makes null of NaN, and refuses ints beyond 64 bits, keys that are no text, and lone surrogates. All that,
    and whatever has options, goes to `json`.
    """

    def __init__(self, json: Any) -> None:
        """Raises ConfigurationError if orjson is not installed."""
        try:
            import orjson
        except ImportError:
            raise ConfigurationError(
                'fast_json needs orjson, which is not installed. Run: pip install "lambent[speed]"'
            ) from None
        self._json = json
        self._loads = orjson.loads
        self._dumps = orjson.dumps
        self._options = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME

    def __getattr__(self, name: str) -> Any:
        return getattr(self._json, name)

    def loads(self, text: str | bytes, **options: Any) -> Any:
        """Read. Raises ValueError, as `json` does."""
        if not options:
            data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
            if LONG not in data.translate(DIGITS):
                try:
                    return self._loads(text)
                except ValueError:
                    pass  # what `json` says of it counts
        return self._json.loads(text, **options)

    def dumps(self, value: Any, **options: Any) -> str:
        """Write. Raises TypeError and ValueError, as `json` does."""
        if not options:
            try:
                data: bytes = self._dumps(value, None, self._options)
            except TypeError:
                data = b"null"
            if b"null" not in data:
                return data.decode()
        text: str = self._json.dumps(value, **options)
        return text
