"""What is to be done around a snapshot of SnapStart.

    from lambent import after_restore, before_snapshot

    @before_snapshot
    async def forget():          # the last one registered comes first
        await pool.close()

    @after_restore
    async def remember():        # in the order of registration
        await pool.open()

Hooks take no arguments, and may be coroutine functions: these run on the environment's event loop. Where AWS's
`snapshot_restore_py` is installed, as it is in the managed runtimes, they are registered there, so that its hooks and
these have one order, and AWS's own client runs those that are not async.
"""

from __future__ import annotations

import inspect
import sys

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[[], object])
    Hook = tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]

__all__ = ["after_restore", "before_snapshot"]


def before_snapshot(hook: Function) -> Function:
    """Have `hook` called when startup has ended and the snapshot is to be taken, which an exception prevents."""
    _REGISTRY.before.append((_known(hook), (), {}))
    return hook


def after_restore(hook: Function) -> Function:
    """Have `hook` called in each environment that is made from the snapshot, before its first invocation."""
    _REGISTRY.after.append((_known(hook), (), {}))
    return hook


def hooks() -> Registry:
    """What is registered, for whoever runs it."""
    return _REGISTRY


class Registry:
    """Both lists, in the order of registration. As in `snapshot_restore_py`: function, arguments, keyword arguments."""

    def __init__(self) -> None:
        self.before: list[Hook] = []
        self.after: list[Hook] = []
        try:
            import snapshot_restore_py
        except ImportError:
            return
        self.before = snapshot_restore_py.get_before_snapshot()
        self.after = snapshot_restore_py.get_after_restore()


_REGISTRY = Registry()  # decorators of any module add to it, as with `atexit`


def _known(hook: Callable[[], object]) -> Callable[[], object]:
    """The hook, for a registry that AWS's client reads as well: it would drop a coroutine."""

    def called() -> object:
        result = hook()
        if inspect.iscoroutine(result) and "lambent.runtime.snapshot" not in sys.modules:
            result.close()
            raise ConfigurationError(
                f"The SnapStart hook {hook!r} is async, but AWS's Python runtime awaits nothing. Run Lambent's: set "
                f"AWS_LAMBDA_EXEC_WRAPPER to {__file__.removesuffix('snapstart.py')}exec/wrapper. Or make it sync."
            )
        return result

    return called
