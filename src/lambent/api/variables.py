"""Settings by environment variable, read when they are first asked for.

from lambent.api import settings

settings.read_timeout
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


class Settings:
    """What the environment says; an empty variable says nothing. Each raises ConfigurationError for what cannot be."""

    __slots__ = ("_environ", "_known")

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._known: dict[str, float | bool] = {}
        """What was asked for before, or overridden."""

    @property
    def function_timeout(self) -> float:
        """FUNCTION_TIMEOUT: seconds that a route may take, unless the route or the Api says otherwise. 30."""
        return self._seconds("FUNCTION_TIMEOUT", 30.0)

    @property
    def connection_timeout(self) -> float:
        """CONNECTION_TIMEOUT: seconds that connecting to another service may take. 5."""
        return self._seconds("CONNECTION_TIMEOUT", 5.0)

    @property
    def read_timeout(self) -> float:
        """READ_TIMEOUT: seconds that another service may say nothing. 15."""
        return self._seconds("READ_TIMEOUT", 15.0)

    @property
    def boto_parameter_validation(self) -> bool:
        """BOTO_PARAMETER_VALIDATION: whether botocore checks parameters before it sends them. No: it takes time."""
        known = self._known.get("BOTO_PARAMETER_VALIDATION")
        if known is None:
            known = self._known["BOTO_PARAMETER_VALIDATION"] = self._read_switch("BOTO_PARAMETER_VALIDATION")
        return bool(known)

    @property
    def boto_max_pool_connections(self) -> int:
        """BOTO_MAX_POOL_CONNECTIONS: connections that a botocore client keeps at most. 100."""
        known = self._known.get("BOTO_MAX_POOL_CONNECTIONS")
        if known is None:
            known = self._known["BOTO_MAX_POOL_CONNECTIONS"] = self._read_count("BOTO_MAX_POOL_CONNECTIONS", 100)
        return int(known)

    @contextmanager
    def override(self, **values: float) -> Iterator[None]:
        """Have other values for a while: `with settings.override(function_timeout=0.1):`, in tests.

        For the whole process. Raises ConfigurationError for a name that is no setting.
        """
        unknown = [name for name in values if name not in NAMES]
        if unknown:
            raise ConfigurationError(f"Expected settings out of {', '.join(NAMES)}, but got {', '.join(unknown)}.")
        before = self._known
        self._known = {**before, **{name.upper(): value for name, value in values.items()}}
        try:
            yield
        finally:
            self._known = before

    def _seconds(self, variable: str, usual: float) -> float:
        known = self._known.get(variable)
        if known is None:
            known = self._known[variable] = self._read_seconds(variable, usual)
        return known

    def _read_seconds(self, variable: str, usual: float) -> float:
        text = self._environ.get(variable, "").strip()
        try:
            seconds = float(text) if text else usual
        except ValueError:
            seconds = 0.0
        if not 0.0 < seconds < float("inf"):
            raise ConfigurationError(f"Expected {variable} to be a number of seconds above 0, but got {text!r}.")
        return seconds

    def _read_count(self, variable: str, usual: int) -> int:
        text = self._environ.get(variable, "").strip()
        count = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
        if text and not count:
            raise ConfigurationError(f"Expected {variable} to be a whole number above 0, but got {text!r}.")
        return count or usual

    def _read_switch(self, variable: str) -> bool:
        text = self._environ.get(variable, "").strip().lower()
        if text and text not in _TRUE + _FALSE:
            raise ConfigurationError(f"Expected {variable} to be one of {', '.join(_TRUE + _FALSE)}, but got {text!r}.")
        return text in _TRUE


NAMES = tuple(name for name in vars(Settings) if not name.startswith("_") and name != "override")
"""Of the settings; in capital letters, of their variables."""

settings = Settings()
"""Those of this process."""
