"""The call of a tool inside of Pyodide, around what CPython's driver runs too. Part of the snapshot: nothing of a call is in it."""
import importlib
import json
import random
import sys
import types

# in memory, and gone with the process
SCRATCH = '/tmp'


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
    """The engine compiles on first use what a call runs."""
    import run_code

    run_code.warm_up()


def main(text, packages, has_network):
    """`text` is a call as JSON."""
    import run_code

    # the same in every process that is made of one snapshot
    random.seed()
    if has_network:
        open_network()
    order = {'call': text, 'limits': json.loads(text)['limits'], 'packages': packages, 'scratch': SCRATCH}
    return json.dumps(run_code.run(order))


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
