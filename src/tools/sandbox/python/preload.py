"""Modules of the standard library that tools usually import: loaded once, before processes for calls are forked."""
import importlib

NAMES = """
abc argparse array ast asyncio base64 bisect bz2 calendar collections collections.abc colorsys concurrent.futures concurrent.futures.thread
configparser contextlib contextvars copy csv ctypes ctypes.util dataclasses datetime decimal difflib email email.message email.mime.multipart email.mime.text
email.parser enum errno fnmatch fractions functools getpass glob gzip hashlib heapq hmac html html.parser http http.client http.cookiejar http.cookies
importlib.util inspect io ipaddress itertools json keyword linecache locale logging lzma math mimetypes mmap numbers operator os os.path pathlib
pickle pkgutil platform pprint queue random re secrets select selectors shlex shutil signal smtplib socket sqlite3 ssl stat statistics string
struct subprocess sys sysconfig tarfile tempfile textwrap threading time timeit token tokenize traceback types typing unicodedata
urllib.error urllib.parse urllib.request uuid warnings weakref xml.dom.minidom xml.etree.ElementTree zipfile zlib zoneinfo
""".split()


def load():
    for name in NAMES:
        try:
            importlib.import_module(name)
        except ImportError:
            # built without it (sqlite3, lzma...): the tool that needs it will say so
            pass
