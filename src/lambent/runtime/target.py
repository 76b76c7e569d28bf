"""The name of a handler to a Handler: `app:app`, `package.module:object.attribute`, or `package/module.handler`."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from traceback import format_exception_only

from lambent.errors import TargetError
from lambent.runtime.function import Function, Generator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambent.types import ASGIApp, Handler

# Python 3.14 evaluates annotations when they are asked for. By its name, for older ones do not have the module.
_ANNOTATIONS: dict[str, Any] = (
    {"annotation_format": import_module("annotationlib").Format.FORWARDREF} if sys.version_info >= (3, 14) else {}
)


def load(target: str, adapt: Callable[[ASGIApp], Handler]) -> Handler:
    """Import what `target` names and make a Handler of it; `adapt` makes one of an ASGI application.

    It may be a Handler (a `Lambent`), an ASGI application, or a plain function of an event and a context. Raises
    TargetError, whose `error_type` is Lambda's own; what the module raises while it is imported comes as it is, unless
    it is an ImportError or a SyntaxError.
    """
    module_name, attributes = _split(target)
    module = _imported(module_name)
    value: object = module
    for attribute in attributes.split("."):
        try:
            value = getattr(value, attribute)
        except AttributeError:
            raise TargetError(
                f"Handler '{attributes}' missing on module '{module_name}'", "Runtime.HandlerNotFound"
            ) from None
    return as_handler(value, target, adapt)


def as_handler(value: object, target: str, adapt: Callable[[ASGIApp], Handler]) -> Handler:
    """Tell by its shape what `value` is. `target` is for the error's message."""
    if callable(getattr(value, "serve", None)) and callable(getattr(value, "lifetime", None)):
        return value  # type: ignore[return-value]  # it has the Protocol's methods
    if not callable(value) or inspect.isclass(value):
        raise TargetError(
            f"Expected '{target}' to be a Lambent, an ASGI application or a function of an event and a context, "
            f"but it is {value!r:.200}.",
            "Runtime.HandlerNotFound",
        )
    if inspect.isasyncgenfunction(value):
        return Generator(value)
    if _required_parameters(value) == 3:
        return adapt(value)
    return Function(value)


def _split(target: str) -> tuple[str, str]:
    """Both ways of writing it. Lambda's own has the attribute after the last dot, and slashes for packages."""
    separator = ":" if ":" in target else "."
    module, _, attributes = target.partition(":") if separator == ":" else target.rpartition(".")
    module = module.replace("/", ".")
    if not all(module.split(".")) or not all(attributes.split(".")):
        raise TargetError(
            f"Bad handler '{target}': expected MODULE:OBJECT, as in app:app, or MODULE.OBJECT, as in app.handler.",
            "Runtime.MalformedHandlerName",
        )
    return module, attributes


def _imported(name: str) -> object:
    if name.partition(".")[0] in sys.builtin_module_names:
        raise TargetError(f"Cannot use built-in module {name} as a handler module", "Runtime.BuiltInModuleConflict")
    try:
        return import_module(name)
    except ImportError as error:
        message = f"Unable to import module '{name}': {error}"
        raise TargetError(message, "Runtime.ImportModuleError") from error
    except SyntaxError as error:
        lines = "".join(format_exception_only(error)).rstrip()
        raise TargetError(f"Syntax error in module '{name}': {lines}", "Runtime.UserCodeSyntaxError") from error


def signature_of(function: Callable[..., object]) -> inspect.Signature:
    """Its parameters, whatever their annotations name: what is there for type checkers only, too.

    Raises TypeError or ValueError if it has none to tell, as builtins do.
    """
    return inspect.signature(function, **_ANNOTATIONS)


def _required_parameters(function: Callable[..., object]) -> int:
    """How many positional arguments it must be given: an ASGI application three, a handler two."""
    try:
        parameters = signature_of(function).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature
        return 2
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional and parameter.default is parameter.empty for parameter in parameters)
