"""Confines itself and becomes another program: python3 -I -S -B confine.py SPECIFICATION COMMAND [ARGUMENT]...

SPECIFICATION is JSON: read, write, network, memory, processes. The program's environment comes in PERDURE_CONFINED_ENV, as
JSON, so that nothing in it (LD_PRELOAD...) has an effect before the layers hold. Whatever fails ends this with status 126.
"""
import json
import os
import resource
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel  # noqa: E402

# where programs, their libraries and what these read are; no homes, no data, no /proc of others
SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/opt', '/etc/ssl', '/etc/pki', '/etc/ca-certificates', '/etc/alternatives',
          '/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d', '/etc/localtime', '/etc/timezone', '/etc/mime.types',
          '/etc/nsswitch.conf', '/etc/gai.conf', '/etc/protocols', '/etc/services', '/etc/os-release']
OF_NETWORK = ['/etc/resolv.conf', '/etc/hosts', '/etc/host.conf', '/run/systemd/resolve']
KERNEL_FACTS = ['/proc/cpuinfo', '/proc/meminfo', '/proc/version', '/proc/stat', '/proc/filesystems', '/proc/sys/kernel',
                '/proc/sys/vm', '/sys/devices/system/cpu', '/sys/fs/cgroup']
DEVICES = {'/dev/null': kernel.READ_FILE | kernel.WRITE_FILE, '/dev/zero': kernel.READ_FILE,
           '/dev/random': kernel.READ_FILE, '/dev/urandom': kernel.READ_FILE}

NAMESPACES = 0x7E020080  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET and TIME
FORBIDDEN = """ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp
mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr unshare setns
io_uring_setup io_uring_enter io_uring_register bpf userfaultfd keyctl add_key request_key perf_event_open
pidfd_getfd open_by_handle_at name_to_handle_at quotactl quotactl_fd reboot kexec_load kexec_file_load
init_module finit_module delete_module swapon swapoff acct settimeofday clock_settime clock_adjtime adjtimex syslog
sethostname setdomainname iopl ioperm vhangup nfsservctl lookup_dcookie fanotify_init fanotify_mark memfd_secret
shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semtimedop semctl
mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr migrate_pages move_pages mknod mknodat
rt_sigqueueinfo rt_tgsigqueueinfo setuid setgid setreuid setregid setresuid setresgid setgroups
chown fchown lchown fchownat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr uselib modify_ldt""".split()
# Landlock does not know these, so they would reach files outside of the folder: they do nothing and say that they did
WITHOUT_EFFECT = 'chmod fchmod fchmodat fchmodat2 utimensat utime utimes futimesat'.split()
PROGRAM_CANNOT_RUN = 126


def confine(specification):
    abi = kernel.landlock_abi()
    rules = kernel.Landlock(abi, tcp_handled=specification['network'] is not True)
    reads = SYSTEM + specification['read'] + (OF_NETWORK if specification['network'] else [])
    for path in reads:
        rules.allow(path, kernel.READ | kernel.EXECUTE)
    for path in [*KERNEL_FACTS, f'/proc/{os.getpid()}']:
        rules.allow(path, kernel.READ)
    for path, rights in DEVICES.items():
        rules.allow(path, rights)
    folder = specification['write']
    if folder is not None and not rules.allow(folder, kernel.SCRATCH | kernel.EXECUTE | kernel.MAKE_FIFO | kernel.MAKE_SOCK):
        raise OSError(f'{folder} cannot be opened')
    if abi >= 4 and isinstance(specification['network'], list):
        for port in specification['network']:
            rules.allow_tcp_connect(port)
    kernel.drop_bounding_set()
    kernel.forgo_privileges()
    limit(specification)
    rules.restrict()
    kernel.apply_filter(build_filter(abi, bool(specification['network'])))


def limit(specification):
    kernel.set_limit(resource.RLIMIT_CORE, 0)
    kernel.set_limit(resource.RLIMIT_DATA, specification['memory'])
    kernel.set_limit(resource.RLIMIT_FSIZE, specification['file'])
    kernel.set_limit(resource.RLIMIT_NOFILE, 1024)


def build_filter(abi, has_network):
    rules = kernel.Filter()
    rules.always(kernel.ENOSYS, 'clone3')
    rules.when('clone', kernel.no_bits(0, NAMESPACES))
    rules.always(kernel.EPERM, *FORBIDDEN)
    rules.always(kernel.errno(0), *WITHOUT_EFFECT)
    if has_network:
        # internet, and what tells a program its own addresses (NETLINK_ROUTE); none of the machine's own sockets
        rules.when('socket', kernel.one_of(0, 2, 10), otherwise=None)
        rules.when('socket', kernel.equals(0, 16), kernel.equals(2, 0))
    else:
        rules.always(kernel.EPERM, 'socket', 'connect', 'bind', 'listen')
    rules.when('socketpair', kernel.equals(0, 1), kernel.one_of(1, 1, 5, 0x80001, 0x80801, 0x801, 0x80005))
    rules.when('fcntl', kernel.none_of(1, 8, 10, 15))  # F_SETOWN, F_SETSIG: signals to anybody
    rules.when('ioctl', kernel.none_of(1, 0x5412, 0x541C, 0x8901, 0x8902))  # TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP
    # with this version of Landlock signals stay among those that are confined together; before it nothing holds them
    if abi < 6:
        rules.always(kernel.EPERM, 'kill', 'tkill', 'pidfd_send_signal')
        rules.when('tgkill', kernel.equals(0, os.getpid()))
    if abi < 3:
        rules.always(kernel.EPERM, 'truncate')
    rules.when('prctl', kernel.none_of(0, kernel.PR_SET_PDEATHSIG))
    return rules.finish(kernel.ALLOW)


def main():
    specification = json.loads(sys.argv[1])
    environment = json.loads(os.environ['PERDURE_CONFINED_ENV'])
    command = sys.argv[2:]
    kernel.die_with_parent(os.getppid())
    program = shutil.which(command[0], path=environment.get('PATH'))
    if program is None:
        raise OSError(f'{command[0]} was not found in {environment.get("PATH")}')
    if specification['write'] is not None:
        os.chdir(specification['write'])
    confine(specification)
    # Node opens the ends of its pipes close-on-exec, for whoever comes after
    for fd in range(3):
        os.set_inheritable(fd, True)
    os.execve(program, command, environment)


try:
    main()
except BaseException as error:  # noqa: BLE001
    os.write(2, f'perdure: the program could not be confined: {error}\n'.encode(errors='replace'))
    os._exit(PROGRAM_CANNOT_RUN)
