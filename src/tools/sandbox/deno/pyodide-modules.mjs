/** How Pyodide is brought up to the point where a call can come: freshly, to make the snapshot of it, or from one. */

/** Modules of the standard library that tools usually import. */
const PRELOADED = `abc argparse array ast asyncio base64 bisect calendar collections.abc configparser contextlib copy csv dataclasses datetime decimal
difflib email.message enum fnmatch fractions functools glob gzip hashlib heapq hmac html html.parser inspect io itertools json linecache locale
logging math mimetypes operator os pathlib pprint random re secrets shlex shutil stat statistics string struct tempfile textwrap time
traceback types typing unicodedata urllib.error urllib.parse urllib.request uuid warnings xml.etree.ElementTree zipfile zlib zoneinfo`

/** \`layers\` belongs to the kernel's confinement, of which there is none here: memory is limited from outside. */
const LAYERS = 'def use_reserve():\n    pass\n'

/** `sources` are texts of Python by the names of their modules. */
export function installModules(pyodide, sources) {
  pyodide.runPython(sources.pyodide_call)
  const add = pyodide.globals.get('add_module')
  add('layers', LAYERS)
  for (const name of ['value_text', 'arguments', 'agent_state', 'run_code', 'pyodide_call']) add(name, sources[name])
  add.destroy()
  const preload = pyodide.globals.get('preload')
  preload(PRELOADED)
  preload.destroy()
  pyodide.runPython('for _name in [n for n in globals() if not n.startswith("__")]: del globals()[_name]\nimport sys')
}

/** Options of every start: output goes nowhere but where the call sends it. */
export const startOptions = (folder) => ({
  indexURL: folder,
  packageBaseUrl: folder,
  checkAPIVersion: false,
  stdout: () => undefined,
  stderr: () => undefined,
})
