"""The value of a call as text that a model reads."""
import dataclasses
import enum
import json
import re

# JSON and the database know no half of a pair of surrogates, and the database no NUL
UNTELLABLE = re.compile('[\ud800-\udfff\0]')


def clean(text):
    return UNTELLABLE.sub('\ufffd', text)


def to_text(value):
    """Strings as they are, containers as JSON, the rest as Python prints it. Never fails because of what the value is."""
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return str.__str__(value)
    if isinstance(value, enum.Enum):
        value = value.value
    try:
        if is_container(value):
            return json.dumps(value if isinstance(value, (dict, list, tuple)) else to_plain(value), ensure_ascii=False, default=to_plain)
        return str(value)
    except MemoryError:
        raise
    except Exception:
        return to_repr(value)


def is_container(value):
    return isinstance(value, (dict, list, tuple, set, frozenset)) or is_model(value)


def is_model(value):
    if isinstance(value, type):
        return False
    return dataclasses.is_dataclass(value) or hasattr(value, 'model_dump') or hasattr(value, '__fields__')


def to_plain(value):
    """What JSON has no form for."""
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, enum.Enum):
        return value.value
    if not isinstance(value, type):
        if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        if hasattr(value, 'model_dump'):
            return value.model_dump(mode='json')
        if hasattr(value, '__fields__') and hasattr(value, 'dict'):
            return value.dict()
    return str(value)


def to_repr(value):
    try:
        return repr(value)
    except MemoryError:
        raise
    except Exception:
        return f'<{type(value).__name__} that cannot be shown>'
