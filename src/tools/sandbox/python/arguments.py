"""Arguments come as JSON; a function that asks for a model, an enum, a tuple or a set gets one."""
import enum
import inspect
import types
import typing

UNIONS = {typing.Union, getattr(types, 'UnionType', typing.Union)}


def build(function, parameters, given):
    """Positional and named arguments: those that the function takes, and no others."""
    hints = find_hints(function)
    positional, named = [], {}
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            named.update({key: value for key, value in given.items() if key not in named})
        elif name in given and parameter.kind is not parameter.VAR_POSITIONAL:
            value = coerce(given[name], hints.get(name))
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[name] = value
    return positional, named


def find_hints(function):
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:
        return getattr(function, '__annotations__', {})


def coerce(value, hint):
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is not None and hasattr(hint, '__metadata__'):
        return coerce(value, inner[0])
    if origin in UNIONS:
        return coerce_union(value, inner)
    if isinstance(value, list):
        if origin is tuple or hint is tuple:
            each = [inner[0]] * len(value) if len(inner) == 2 and inner[1] is Ellipsis else inner
            return tuple(coerce(item, each[index] if index < len(each) else None) for index, item in enumerate(value))
        if origin in (set, frozenset) or hint in (set, frozenset):
            return (origin or hint)(coerce(item, inner[0] if inner else None) for item in value)
        if origin is not None and len(inner) == 1:
            return [coerce(item, inner[0]) for item in value]
    if isinstance(value, dict) and origin is not None and len(inner) == 2:
        return {key: coerce(item, inner[1]) for key, item in value.items()}
    if inspect.isclass(hint) and origin is None:
        return coerce_class(value, hint)
    return value


def coerce_union(value, choices):
    """The first that takes it, and as it is where none makes anything else of it."""
    if value is None and type(None) in choices:
        return None
    problem = None
    for choice in choices:
        if choice is type(None):
            continue
        try:
            made = coerce(value, choice)
        except Exception as error:
            problem = problem or error
            continue
        if made is not value or isinstance(choice, type) and isinstance(made, choice):
            return made
    if problem is not None and not any(choice in (str, int, float, bool, dict, list) for choice in choices):
        raise problem
    return value


def coerce_class(value, hint):
    if issubclass(hint, enum.Enum) and not isinstance(value, hint):
        try:
            return hint(value)
        except ValueError:
            if isinstance(value, str) and value in hint.__members__:
                return hint[value]
            raise
    if isinstance(value, dict) and not issubclass(hint, dict):
        if hasattr(hint, 'model_validate'):
            return hint.model_validate(value)
        if hasattr(hint, 'parse_obj'):
            return hint.parse_obj(value)
    return value
