"""The call of a tool inside of Pyodide, around what CPython's driver runs too. Part of the snapshot: nothing of a call is in it."""
import importlib
import json
import linecache
import os
import random
import sys
import time
import types

HOME = '/home/pyodide'


def add_module(name, source):
    """Loads a module of the server from its text: snapshots hold memory, and no files."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, f'{name}.py', 'exec', dont_inherit=True), module.__dict__)


def preload(names):
    for name in names.split():
        try:
            importlib.import_module(name)
        except ImportError:
            # not built for wasm: the tool that needs it will say so
            pass


def warm_up():
    """What every call does, once: the engine compiles on first use what it runs."""
    import run_code

    limits = {'outputChars': 100, 'resultChars': 100}
    source = 'def warm(a: int = 1, b: list[str] = []) -> dict:\n    print(a)\n    return {"a": a, "b": b}\n'
    call = {'source': source, 'functionName': 'warm', 'args': {'a': 1, 'b': ['x']}, 'packages': None, 'agentState': None}
    streams = sys.stdin, sys.stdout, sys.stderr
    json.dumps(run_code.run({**json.loads(json.dumps(call)), 'limits': limits}))
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams
    sys.modules.pop('tool', None)
    linecache.clearcache()


def main(text):
    import run_code

    call = json.loads(text)
    # the same in every process that is made of one snapshot
    random.seed()
    os.environ.clear()
    os.environ.update(HOME=HOME, TMPDIR='/tmp', **call['env'])
    if 'TZ' in call['env']:
        time.tzset()
    if call['hasNetwork']:
        open_network()
    return json.dumps(run_code.run(call))


def open_network():
    """`urllib.request` over the fetch of the process; what opens sockets of its own has no network here."""
    import email.message
    import io
    import urllib.error
    import urllib.request
    import urllib.response

    import js
    from pyodide.ffi import run_sync, to_js

    class FetchHandler(urllib.request.BaseHandler):
        def http_open(self, request):
            headers = {**request.headers, **request.unredirected_hdrs}
            body = b''.join(request.data) if hasattr(request.data, '__iter__') and not isinstance(request.data, (bytes, str)) else request.data
            options = {'method': request.get_method(), 'headers': headers, 'redirect': 'manual'}
            if body is not None:
                options['body'] = body
            try:
                answer = run_sync(js.fetch(request.full_url, to_js(options, dict_converter=js.Object.fromEntries)))
                content = run_sync(answer.arrayBuffer()).to_bytes()
            except Exception as error:
                raise urllib.error.URLError(str(error).removeprefix('TypeError: ')) from None
            told = email.message.Message()
            for name, value in answer.headers:
                told[name] = value
            response = urllib.response.addinfourl(io.BytesIO(content), told, request.full_url, answer.status)
            response.msg = response.reason = answer.statusText
            return response

        https_open = http_open

    opener = urllib.request.OpenerDirector()
    classes = [
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.DataHandler,
        urllib.request.UnknownHandler,
        FetchHandler,
    ]
    for handler in classes:
        opener.add_handler(handler())
    urllib.request.install_opener(opener)
