"""Runs the code of a call and makes the reply of what it did."""
import ast
import asyncio
import inspect
import io
import json
import linecache
import os
import sys
import time
import traceback
import types

import agent_state
import arguments
import layers
import value_text

MAX_MESSAGE_CHARS = 10_000
MAX_TRACE_CHARS = 20_000


class Output(io.TextIOBase):
    """Keeps the first characters, and counts the others."""

    def __init__(self, most):
        self.parts, self.left, self.dropped = [], most, 0
        self.buffer = Bytes(self)

    encoding = 'utf-8'
    errors = 'replace'

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f'write() argument must be str, not {type(text).__name__}')
        if self.left > 0 and text:
            self.parts.append(text[: self.left])
        kept = min(len(text), self.left)
        self.left -= kept
        self.dropped += len(text) - kept
        # many small pieces take more than their characters
        if len(self.parts) > 1000:
            self.parts = [''.join(self.parts)]
        return len(text)

    def text(self):
        note = f'\n[{self.dropped} more characters were not kept]' if self.dropped else ''
        return ''.join(self.parts) + note


class Bytes(io.RawIOBase):
    def __init__(self, output):
        self.output = output

    def writable(self):
        return True

    def write(self, data):
        self.output.write(bytes(data).decode('utf-8', 'replace'))
        return len(data)


def run(order):
    """`order` has what the process was confined by; the call in it is text, read only now that nothing can come of it."""
    limits = order['limits']
    stdout, stderr = Output(limits['outputChars']), Output(limits['outputChars'])
    sys.stdout = sys.__stdout__ = stdout
    sys.stderr = sys.__stderr__ = stderr
    sys.stdin = sys.__stdin__ = io.StringIO()
    sys.argv = ['']
    call = {'functionName': None}
    try:
        call = json.loads(order['call'])
        set_up(order, call)
        memory = agent_state.AgentState(call['agentState']) if call['agentState'] is not None else None
        value = run_program(call) if call['functionName'] is None else run_function(call, memory)
        text = '' if value is None and call['functionName'] is None else value_text.to_text(value)
        reply = {
            'text': value_text.clean(text[: limits['resultChars']]),
            'textLength': len(text),
            'blocks': memory.changes() if memory is not None else {},
        }
    except BaseException as error:  # noqa: BLE001
        reply = describe(error, stderr, file_of(call))
    return {**reply, 'stdout': value_text.clean(stdout.text()), 'stderr': value_text.clean(stderr.text())}


WARM_UP = """
import json
def warm_up(text: str, count: int = 1) -> dict:
    print(text)
    return {'text': text, 'count': count}
"""


def warm_up():
    """Runs a call of our own: what is touched for the first time then is not in a call that somebody waits for."""
    streams = sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__, sys.argv
    call = {'source': WARM_UP, 'functionName': 'warm_up', 'args': {'text': 'x', 'count': 2}, 'env': {}, 'agentState': None}
    limits = {'outputChars': 100, 'resultChars': 100}
    json.dumps(run({'call': json.dumps(call), 'limits': limits, 'packages': None, 'scratch': None}))
    sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__, sys.argv = streams
    del sys.modules['tool']
    linecache.cache.clear()


def set_up(order, call):
    if order['packages'] is not None:
        sys.path.insert(0, order['packages'])
    os.environ.clear()
    if order['scratch'] is not None:
        os.environ.update(HOME=order['scratch'], TMPDIR=order['scratch'])
    os.environ.update(call['env'])
    if 'TZ' in call['env']:
        time.tzset()


def file_of(call):
    return f"{call['functionName'] or 'program'}.py"


def load(call, name):
    """The module that the source becomes, in which classes and annotations find themselves."""
    module = types.ModuleType(name)
    module.__file__ = file_of(call)
    sys.modules[name] = module
    source = call['source']
    linecache.cache[file_of(call)] = (len(source), None, source.splitlines(keepends=True), file_of(call))
    return module


def run_program(call):
    """Like a cell of a notebook: the value is that of the last line, if it is an expression."""
    module = load(call, '__main__')
    tree = ast.parse(call['source'], file_of(call))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, file_of(call), 'exec', dont_inherit=True), module.__dict__)
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), file_of(call), 'eval', dont_inherit=True), module.__dict__)
    return asyncio.run(wait_for(value)) if inspect.isawaitable(value) else value


def run_function(call, memory):
    module = load(call, 'tool')
    exec(compile(call['source'], file_of(call), 'exec', dont_inherit=True), module.__dict__)
    function = find_function(module, call['functionName'])
    parameters = inspect.signature(function).parameters
    given = {**call['args'], **given_by_server(parameters, memory)}
    positional, named = arguments.build(function, parameters, given)
    value = function(*positional, **named)
    return asyncio.run(wait_for(value)) if inspect.isawaitable(value) else value


async def wait_for(value):
    return await value


def find_function(module, name):
    function = getattr(module, name, None)
    if callable(function) and not inspect.isclass(function):
        return function
    for thing in reversed(list(vars(module).values())):
        if inspect.isclass(thing) and thing.__module__ == module.__name__ and callable(getattr(thing, 'run', None)):
            instance = thing()
            if name in (getattr(instance, 'name', None), thing.__name__):
                return instance.run
    raise NameError(f"The source has no function '{name}' at its top level.")


def given_by_server(names, memory):
    """`self` of a function that was written as if it were a method of the agent; what it is no function can count on."""
    given = {}
    if 'self' in names:
        given['self'] = None
    if 'agent_state' in names:
        given['agent_state'] = memory
    if 'client' in names:
        given['client'] = make_client()
    return given


def make_client():
    """The official client, where its package and a key are there."""
    key = os.environ.get('LETTA_API_KEY')
    if not key:
        return None
    try:
        from letta_client import Letta
    except ImportError:
        return None
    names = inspect.signature(Letta).parameters
    base = {'base_url': os.environ['LETTA_BASE_URL']} if 'LETTA_BASE_URL' in os.environ else {}
    return Letta(**{'api_key' if 'api_key' in names else 'token': key}, **base)


def describe(error, stderr, file):
    """Nothing of it may fail, whatever the code made of its exception."""
    layers.use_reserve()
    kind = {MemoryError: 'memory', SystemExit: 'died'}.get(type(error), 'exception')
    if isinstance(error, SystemExit):
        message = f'The code ended itself (exit code {say(lambda: str(error.code), "unknown")}) before it returned.'
    elif isinstance(error, MemoryError):
        message = say(lambda: str(error), '') or 'The code used more memory than it may.'
    else:
        message = say(lambda: str(error), 'an exception that cannot be shown')
    trace = say(lambda: format_trace(error, file), '')
    if trace:
        # whatever was printed, the trace is the most useful
        stderr.left = max(stderr.left, MAX_TRACE_CHARS)
        stderr.write(trace[-MAX_TRACE_CHARS:])
    return {
        'error': {
            'kind': kind,
            'type': value_text.clean(str(type(error).__name__)[:200]),
            'message': value_text.clean(message[:MAX_MESSAGE_CHARS]),
        }
    }


def format_trace(error, file):
    """Of the frames of the source alone: ours and the library's tell nobody anything."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__, limit=-50) if frame.filename == file]
    lines = ['Traceback (most recent call last):\n', *traceback.format_list(frames)] if frames else []
    return ''.join([*lines, *traceback.format_exception_only(type(error), error)])


def say(make, otherwise):
    try:
        return make()
    except BaseException:  # noqa: BLE001
        return otherwise
