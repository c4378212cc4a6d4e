import { type Attack, nothingLeaked, nothingWorked } from './attack.ts'

/** Reading and writing what is not the call's. */
export const ATTACKS_ON_FILES: readonly Attack[] = [
  {
    name: 'reads /etc/passwd in every way there is',
    source: `
import ctypes, io, mmap, os, sqlite3, shutil
def by_fd(): 
    return os.read(os.open('/etc/passwd', os.O_RDONLY), 200)
def by_libc():
    libc = ctypes.CDLL(None)
    fd = libc.open(b'/etc/passwd', 0)
    buffer = ctypes.create_string_buffer(200)
    if libc.read(fd, buffer, 200) <= 0: raise OSError('no')
    return buffer.value
def by_link(make):
    make('/etc/passwd', 'link')
    return open('link').read()
def by_path(path):
    return open(path).read()
attempt('open', lambda: open('/etc/passwd').read())
attempt('fd', by_fd)
attempt('libc', by_libc)
attempt('symlink', lambda: by_link(os.symlink))
attempt('hard link', lambda: by_link(os.link))
attempt('copy', lambda: shutil.copy('/etc/passwd', 'copy') and open('copy').read())
attempt('rename', lambda: os.rename('/etc/passwd', 'copy'))
attempt('root of the process', lambda: by_path('/proc/self/root/etc/passwd'))
attempt('root of the first process', lambda: by_path('/proc/1/root/etc/passwd'))
attempt('dots', lambda: by_path('../../../../../../../../../etc/passwd'))
attempt('openat', lambda: os.read(os.open('etc/passwd', os.O_RDONLY, dir_fd=os.open('/', os.O_RDONLY)), 200))
attempt('path descriptor', lambda: os.read(os.open('etc/passwd', os.O_RDONLY, dir_fd=os.open('/', os.O_PATH)), 200))
attempt('mmap', lambda: mmap.mmap(os.open('/etc/passwd', os.O_RDWR), 0)[:200])
attempt('sqlite', lambda: sqlite3.connect('/etc/passwd').execute('select * from a').fetchall())
done`,
    check: nothingLeaked,
  },
  {
    name: 'reads what processes have: environments, memory, command lines',
    source: `
import os
pids = {1, T['serverPid'], os.getppid() if hasattr(os, 'getppid') else 1, os.getpid()}
for pid in [*pids, 'self', 'thread-self']:
    for name in ['environ', 'cmdline', 'mem', 'maps', 'root/etc/passwd', 'cwd/package.json', 'fd/0', 'fd/1', 'task', 'auxv', 'stack']:
        attempt(f'{pid}/{name}', lambda: open(f'/proc/{pid}/{name}', 'rb').read(4096))
        attempt(f'{pid}/{name} list', lambda: os.listdir(f'/proc/{pid}/{name}'))
attempt('list', lambda: os.listdir('/proc'))
attempt('environ', lambda: dict(os.environ, TARGETS=''))
done`,
    check: nothingLeaked,
  },
  {
    name: 'reads a file of the server',
    source: `
import os, glob
path = T['secretPath']
attempt('open', lambda: open(path).read())
attempt('list', lambda: [open(p).read() for p in glob.glob(os.path.dirname(path) + '/*')])
attempt('walk', lambda: [open(os.path.join(f, n)).read() for f, _, names in os.walk(os.path.dirname(path)) for n in names])
attempt('link', lambda: (os.symlink(path, 'l'), open('l').read()))
done`,
    check: nothingLeaked,
  },
  {
    name: 'races links against its own opening of files',
    source: `
import os, threading, time
path = T['secretPath']
found = []
try:
    os.mkdir('real'); open('real/' + os.path.basename(path), 'w').write('mine')
    os.symlink(os.path.dirname(path), 'evil')
except OSError: pass
stop = time.time() + 1.5
def swap():
    while time.time() < stop:
        try:
            os.symlink('real', 'next'); os.rename('next', 'current')
            os.symlink('evil', 'next'); os.rename('next', 'current')
        except OSError: pass
try:
    thread = threading.Thread(target=swap); thread.start()
except RuntimeError: stop = 0
while time.time() < stop:
    try: found.append(open('current/' + os.path.basename(path)).read())
    except OSError: pass
sorted(set(found))`,
    check: nothingLeaked,
  },
  {
    name: 'writes outside of its folder',
    source: `
import os
outside = T['outsideFolder']
def write(path):
    with open(path, 'w') as file: file.write('x')
    return 'written'
for folder in [outside, '/var/tmp', '/dev/shm', '/', '/usr/lib', '/run', os.path.dirname(os.getcwd()) or '/']:
    attempt(folder, lambda: write(folder + '/written-by-attack'))
    attempt(folder + ' folder', lambda: os.mkdir(folder + '/made-by-attack'))
    attempt(folder + ' fifo', lambda: os.mkfifo(folder + '/fifo-of-attack'))
attempt('append', lambda: open(T['secretPath'], 'a').write('x'))
attempt('truncate', lambda: os.truncate(T['secretPath'], 0))
attempt('remove', lambda: os.remove(T['secretPath']))
attempt('rename', lambda: os.rename(T['secretPath'], T['secretPath'] + 'x'))
attempt('chown', lambda: os.chown(T['secretPath'], 65534, 65534))
attempt('setxattr', lambda: os.setxattr(T['secretPath'], 'user.a', b'b'))
attempt('mknod', lambda: os.mknod('device', 0o600 | 0o020000, os.makedev(1, 1)))
# these say that they worked; whether the file is as it was is checked outside
os_chmod = [os.chmod(T['secretPath'], 0) if os.path.exists(T['secretPath']) else None]
done`,
    levels: ['cpython'],
    check: nothingWorked,
  },
  {
    name: 'uses memory that other calls could see',
    source: `
import ctypes, os
attempt('shmget', lambda: raw(29, 194, 0x5045, 4096, 0o1666))
attempt('msgget', lambda: raw(68, 186, 0x5045, 0o1666))
attempt('semget', lambda: raw(64, 190, 0x5045, 1, 0o1666))
attempt('mq_open', lambda: raw(240, 180, b'perdure', 0o102, 0o666, 0))
attempt('memfd', lambda: os.memfd_create('x'))
attempt('inotify', lambda: raw(294, 26, 0))
attempt('keyctl', lambda: raw(250, 219, 0, -3, 1))
attempt('add_key', lambda: raw(248, 217, b'user', b'perdure', b'x', 1, -4))
attempt('shared memory', lambda: __import__('multiprocessing.shared_memory').shared_memory.SharedMemory(create=True, size=4096))
done`,
    levels: ['cpython'],
    check: nothingWorked,
  },
]
