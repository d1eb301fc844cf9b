"""`--set FIELD=VALUE`: the fields of a recipe of `create` and `import`, converted to their types."""

import inspect
import typing
from collections.abc import Mapping, Sequence

from mdeas.commands.parser import did_you_mean
from mdeas.errors import UsageError

Kind = typing.TypeVar("Kind")


def configured(kind: type[Kind], fields: Mapping[str, object], overrides: Sequence[str]) -> Kind:
    """Build the recipe dataclass `kind` from a command's own options and from `--set FIELD=VALUE`.

    Input: fields: field -> value, None where the option was not given; overrides: FIELD=VALUE, which win.
    Errors: UsageError E-RECIPE, and what `kind` itself refuses.
    """
    from jsonargparse import ArgumentError, ArgumentParser  # knows lists, tuples and unions

    parameters, types = inspect.signature(kind).parameters, typing.get_type_hints(kind)
    known = f"Fields: {', '.join(parameters)}."
    values = {}
    given = [f"{name}={value}" for name, value in fields.items() if value is not None]
    for item in [*given, *overrides]:
        name, _, text = item.partition("=")
        if not name or "=" not in item:
            raise UsageError("E-RECIPE", f"expected FIELD=VALUE, got {item!r}. {known}")
        if name not in parameters:
            raise UsageError("E-RECIPE", f"unknown field {name!r}.{did_you_mean(name, parameters)} {known}")
        parser = ArgumentParser(exit_on_error=False, add_help=False)
        parser.add_argument(f"--{name}", type=types[name])
        try:
            values[name] = parser.parse_args([f"--{item}"])[name]
        except ArgumentError:
            expected = inspect.formatannotation(types[name])
            raise UsageError("E-RECIPE", f"{name}: expected {expected}, got {text!r}. {known}") from None
    required = [name for name, field in parameters.items() if field.default is inspect.Parameter.empty]
    if missing := [name for name in required if name not in values]:
        raise UsageError("E-RECIPE", f"the recipe lacks {', '.join(missing)}. {known}")
    return kind(**values)
