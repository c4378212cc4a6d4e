"""A program as it would run in a locked-down pod: python3 locked-down-pod.py COMMAND [ARGUMENT]...

Imitates `readOnlyRootFilesystem`, `runAsNonRoot`, `capabilities: drop ALL`, `allowPrivilegeEscalation: false` and the seccomp profile
RuntimeDefault: every mount is read-only, the user is 65534, its own pid, IPC and mount namespace, nothing may be unshared or mounted.
It is an imitation, not Kubernetes. Only root can build it. Status 125 says that it could not be built.
"""
import ctypes
import os
import signal
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../src/tools/sandbox/python'))
sys.dont_write_bytecode = True
import kernel  # noqa: E402

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x08000000, 0x20000000
MS_REC, MS_PRIVATE, MS_NOSUID_NODEV_NOEXEC = 0x4000, 1 << 18, 2 | 4 | 8
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
NOBODY = 65534
NOT_BUILT = 125


def call(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), f'{what}: {os.strerror(ctypes.get_errno())}')


def make_read_only():
    libc = kernel.libc
    call(libc.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None), 'mount private')
    call(libc.mount(b'proc', b'/proc', b'proc', MS_NOSUID_NODEV_NOEXEC, None), 'mount /proc')
    attributes = struct.pack('=QQQQ', MOUNT_ATTR_RDONLY, 0, 0, 0)
    call(libc.syscall(ctypes.c_long(MOUNT_SETATTR), ctypes.c_int(AT_FDCWD), b'/', ctypes.c_uint(AT_RECURSIVE), attributes,
                      ctypes.c_size_t(len(attributes))), 'mount_setattr')


def become_nobody():
    kernel.drop_bounding_set()
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    kernel.forgo_privileges()


def filter_like_runtime_default():
    rules = kernel.Filter()
    rules.always(kernel.ENOSYS, 'clone3')
    rules.when('clone', kernel.no_bits(0, 0x7E020000))
    rules.always(kernel.EPERM, *"""unshare setns mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick
        mount_setattr bpf keyctl add_key request_key io_uring_setup io_uring_enter io_uring_register userfaultfd perf_event_open
        process_vm_readv process_vm_writev ptrace kcmp open_by_handle_at init_module finit_module delete_module kexec_load
        kexec_file_load reboot swapon swapoff acct settimeofday quotactl syslog lookup_dcookie personality""".split())
    kernel.apply_filter(rules.finish(kernel.ALLOW))


def check():
    """The pod must be what it says."""
    for path in ['/tmp', '/dev/shm', os.getcwd(), '/var/tmp']:
        try:
            os.close(os.open(os.path.join(path, 'x'), os.O_CREAT | os.O_WRONLY))
        except OSError:
            continue
        raise OSError(f'{path} can be written to')
    if os.getuid() != NOBODY or open('/proc/self/status').read().count('CapEff:\t0000000000000000') != 1:
        raise OSError('the user has rights')
    if kernel.libc.unshare(CLONE_NEWNS) == 0:
        raise OSError('unshare works')


def main():
    call(kernel.libc.unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID), 'unshare')
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        # the first process of the pid namespace: all others end with it
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        make_read_only()
        become_nobody()
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        filter_like_runtime_default()
        check()
        os.execvp(sys.argv[1], sys.argv[1:])
    assert parent
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


try:
    main()
except BaseException as error:  # noqa: BLE001
    os.write(2, f'the pod could not be built: {error}\n'.encode())
    os._exit(NOT_BUILT)
