/* Stands before the calls of libc that change files below one folder, in all threads and children.
 *
 * Loaded by LD_PRELOAD. A mapped file, TORTURE_CONTROL, is shared by all processes: it says which
 * calls count and what happens at a count, and takes the log, so that both outlive a SIGKILL.
 * Calls go on as they are unless `is_active`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, SYNC = 4, RENAME = 8, REMOVE = 16, OTHER = 32 };
enum { NOTHING, KILL, FAIL, SHORT, PAUSE };

struct control { /* as `_HEAD` of shim.py packs it */
    _Atomic int is_active;
    int kinds;      /* a mask of the calls that count */
    int action;     /* at a count of `at`, and then at every `every`-th one, unless 0 */
    int error;      /* of FAIL */
    int is_unsynced; /* each sync does nothing, and says that it worked */
    _Atomic int paused;
    _Atomic int count;
    int at;
    int every;
    _Atomic int under_way;
    _Atomic int used; /* bytes of the log */
    int size;         /* of the whole file */
    unsigned flags;   /* of the rename that is put off */
    int unused;
    char root[512];
    char match[256]; /* within name and paths of each call that counts */
    char late[256];  /* within the paths of the rename that is put off until after the next one */
    char from[PATH_MAX], to[PATH_MAX];
    char log[];
};

static struct control *control;

static __attribute__((constructor)) void map(void)
{
    const char *file = getenv("TORTURE_CONTROL");
    int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    struct stat status;
    if (fd < 0 || fstat(fd, &status))
        return;
    void *mapped = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        control = mapped;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static void path_of(int fd, char *path)
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
}

static void full(int folder, const char *name, char *path)
{
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return;
    }
    if (folder != AT_FDCWD)
        path_of(folder, path);
    else if (!getcwd(path, PATH_MAX))
        path[0] = 0;
    size_t length = strlen(path);
    snprintf(path + length, PATH_MAX - length, "/%s", name);
}

static int is_below(const char *path)
{
    size_t length = strlen(control->root);
    return length && !strncmp(path, control->root, length)
        && (!path[length] || path[length] == '/');
}

static void note(int number, const char *name, const char *path, const char *to)
{
    char line[3 * PATH_MAX];
    const char *below = path + strlen(control->root);
    const char *below_to = is_below(to) ? to + strlen(control->root) : to;
    int length = snprintf(line, sizeof line, "%d\t%s\t%s\t%s\n", number, name, below, below_to);
    int at = atomic_fetch_add(&control->used, length);
    if (at + length < control->size - (int)sizeof *control)
        memcpy(control->log + at, line, length);
}

static void wait_while_paused(void)
{
    for (;;) {
        while (atomic_load(&control->paused))
            usleep(100);
        atomic_fetch_add(&control->under_way, 1);
        if (!atomic_load(&control->paused))
            return;
        atomic_fetch_sub(&control->under_way, 1);
    }
}

static void pause_all(void)
{
    while (atomic_exchange(&control->paused, 1)) { /* another one pauses: let it */
        atomic_fetch_sub(&control->under_way, 1);
        wait_while_paused();
    }
    while (atomic_load(&control->under_way) > 1)
        usleep(50);
    atomic_store(&control->paused, 2); /* nothing changes now: the test goes on */
    while (atomic_load(&control->paused) == 2) /* 1: another one pauses, and waits for this one */
        usleep(100);
}

/* Enter a call; return the action that is left to the caller, and -1 for a call that is not ours.
 * Each result but -1 is followed by `leave`. */
static int enter(int kind, const char *name, const char *path, const char *to)
{
    if (!control || !atomic_load(&control->is_active) || !(is_below(path) || is_below(to)))
        return -1;
    wait_while_paused();
    char text[2 * PATH_MAX + 64];
    snprintf(text, sizeof text, "%s %s %s", name, path, to);
    int number = 0, acts = 0;
    if ((control->kinds & kind) && strstr(text, control->match)) {
        number = atomic_fetch_add(&control->count, 1) + 1;
        int beyond = number - control->at;
        acts = control->at && (!beyond || (control->every && beyond > 0 && !(beyond % control->every)));
    }
    note(number, name, is_below(path) ? path : to, to);
    if (!acts)
        return NOTHING;
    if (control->action == KILL) {
        kill(0, SIGKILL);
        for (;;)
            pause();
    }
    if (control->action == PAUSE)
        pause_all();
    return control->action;
}

static void leave(void) { atomic_fetch_sub(&control->under_way, 1); }

#define AFTER(kind, name, path, to, call, failed) \
    int action = enter(kind, name, path, to); \
    if (action == -1) \
        return call; \
    if (action == FAIL) { \
        leave(); \
        errno = control->error; \
        return failed; \
    } \
    __typeof__(call) result = call; \
    int error = errno; \
    leave(); \
    errno = error; \
    return result

#define OF_FD(fd) char path[PATH_MAX]; path_of(fd, path)
#define OF_PATH(folder, name) char path[PATH_MAX]; full(folder, name, path)

/* Opening: only what creates, truncates or will write. */
#define CHANGES(flags) ((flags) & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR))
#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }
#define OPENING(function) \
    int function(const char *name, int flags, ...) \
    { \
        REAL(function); \
        MODE(flags) \
        if (!CHANGES(flags)) \
            return real(name, flags, mode); \
        OF_PATH(AT_FDCWD, name); \
        AFTER(OPEN, "open", path, "", real(name, flags, mode), -1); \
    }
#define OPENING_AT(function) \
    int function(int folder, const char *name, int flags, ...) \
    { \
        REAL(function); \
        MODE(flags) \
        if (!CHANGES(flags)) \
            return real(folder, name, flags, mode); \
        OF_PATH(folder, name); \
        AFTER(OPEN, "open", path, "", real(folder, name, flags, mode), -1); \
    }
OPENING(open)
OPENING(open64)
OPENING_AT(openat)
OPENING_AT(openat64)

/* Writing: SHORT writes half. */
#define HALF(length) (action == SHORT && (length) > 1 ? (length) / 2 : (length))
#define WRITING(type, function, name, parameters, fd, call) \
    type function parameters \
    { \
        REAL(function); \
        OF_FD(fd); \
        AFTER(WRITE, name, path, "", call, -1); \
    }
ssize_t write(int fd, const void *bytes, size_t length)
{
    REAL(write);
    OF_FD(fd);
    AFTER(WRITE, "write", path, "", real(fd, bytes, HALF(length)), -1);
}
WRITING(ssize_t, pwrite, "pwrite", (int fd, const void *bytes, size_t length, off_t at), fd,
        real(fd, bytes, HALF(length), at))
WRITING(ssize_t, pwrite64, "pwrite", (int fd, const void *bytes, size_t length, off64_t at), fd,
        real(fd, bytes, HALF(length), at))
WRITING(ssize_t, writev, "writev", (int fd, const struct iovec *parts, int count), fd,
        real(fd, parts, count))
WRITING(ssize_t, pwritev, "pwritev", (int fd, const struct iovec *parts, int count, off_t at), fd,
        real(fd, parts, count, at))
WRITING(ssize_t, pwritev64, "pwritev", (int fd, const struct iovec *parts, int count, off64_t at),
        fd, real(fd, parts, count, at))
WRITING(ssize_t, sendfile, "sendfile", (int out, int in, off_t *at, size_t length), out,
        real(out, in, at, HALF(length)))
WRITING(ssize_t, sendfile64, "sendfile", (int out, int in, off64_t *at, size_t length), out,
        real(out, in, at, HALF(length)))
WRITING(ssize_t, copy_file_range, "copy_file_range",
        (int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags), out,
        real(in, from, out, to, HALF(length), flags))
WRITING(int, ftruncate, "ftruncate", (int fd, off_t length), fd, real(fd, length))
WRITING(int, ftruncate64, "ftruncate", (int fd, off64_t length), fd, real(fd, length))
WRITING(int, fallocate, "fallocate", (int fd, int mode, off_t at, off_t length), fd,
        real(fd, mode, at, length))
WRITING(int, fallocate64, "fallocate", (int fd, int mode, off64_t at, off64_t length), fd,
        real(fd, mode, at, length))
#define RESERVING(function, offset) \
    int function(int fd, offset at, offset length) /* returns its error */ \
    { \
        REAL(function); \
        OF_FD(fd); \
        AFTER(WRITE, "fallocate", path, "", real(fd, at, length), control->error); \
    }
RESERVING(posix_fallocate, off_t)
RESERVING(posix_fallocate64, off64_t)
#define TRUNCATING(function, offset) \
    int function(const char *name, offset length) \
    { \
        REAL(function); \
        OF_PATH(AT_FDCWD, name); \
        AFTER(WRITE, "truncate", path, "", real(name, length), -1); \
    }
TRUNCATING(truncate, off_t)
TRUNCATING(truncate64, off64_t)

/* Syncing. */
#define UNSYNCED (control && control->is_unsynced)
#define SYNCING(function, parameters, fd, call) \
    int function parameters \
    { \
        REAL(function); \
        OF_FD(fd); \
        AFTER(SYNC, #function, path, "", UNSYNCED ? 0 : call, -1); \
    }
SYNCING(fsync, (int fd), fd, real(fd))
SYNCING(fdatasync, (int fd), fd, real(fd))
SYNCING(syncfs, (int fd), fd, real(fd))
SYNCING(sync_file_range, (int fd, off64_t at, off64_t length, unsigned flags), fd,
        real(fd, at, length, flags))
void sync(void)
{
    REAL(sync);
    if (!UNSYNCED)
        real();
}

/* Renaming. */
typedef int renameat2_t(int, const char *, int, const char *, unsigned);

static int is_late(const char *from, const char *to)
{
    return control->late[0] && (strstr(from, control->late) || strstr(to, control->late));
}

static int renamed(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    static renameat2_t *real;
    if (!real)
        real = (renameat2_t *)dlsym(RTLD_NEXT, "renameat2");
    char path[PATH_MAX], target[PATH_MAX];
    full(from_folder, from, path);
    full(to_folder, to, target);
    if (control && atomic_load(&control->is_active) && is_late(path, target)) {
        control->late[0] = 0;
        control->flags = flags;
        memcpy(control->from, path, PATH_MAX);
        memcpy(control->to, target, PATH_MAX);
        return 0;
    }
    int action = enter(RENAME, "rename", path, target);
    if (action == -1)
        return real(from_folder, from, to_folder, to, flags);
    int result = action == FAIL ? -1 : real(from_folder, from, to_folder, to, flags);
    int error = action == FAIL ? control->error : errno;
    leave();
    if (control->from[0]) {
        enter(RENAME, "late rename", control->from, control->to);
        real(AT_FDCWD, control->from, AT_FDCWD, control->to, control->flags);
        control->from[0] = 0;
        leave();
    }
    errno = error;
    return result;
}

int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return renamed(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    return renamed(from_folder, from, to_folder, to, flags);
}

/* Names that come and go. */
#define OF_NAME(function, kind, parameters, folder, name, call) \
    int function parameters \
    { \
        REAL(function); \
        OF_PATH(folder, name); \
        AFTER(kind, #function, path, "", call, -1); \
    }
OF_NAME(unlink, REMOVE, (const char *name), AT_FDCWD, name, real(name))
OF_NAME(unlinkat, REMOVE, (int folder, const char *name, int flags), folder, name,
        real(folder, name, flags))
OF_NAME(remove, REMOVE, (const char *name), AT_FDCWD, name, real(name))
OF_NAME(rmdir, REMOVE, (const char *name), AT_FDCWD, name, real(name))
OF_NAME(mkdir, OTHER, (const char *name, mode_t mode), AT_FDCWD, name, real(name, mode))
OF_NAME(mkdirat, OTHER, (int folder, const char *name, mode_t mode), folder, name,
        real(folder, name, mode))
OF_NAME(symlink, OTHER, (const char *target, const char *name), AT_FDCWD, name, real(target, name))
OF_NAME(symlinkat, OTHER, (const char *target, int folder, const char *name), folder, name,
        real(target, folder, name))
OF_NAME(link, OTHER, (const char *from, const char *name), AT_FDCWD, name, real(from, name))
OF_NAME(linkat, OTHER,
        (int from_folder, const char *from, int folder, const char *name, int flags), folder, name,
        real(from_folder, from, folder, name, flags))
OF_NAME(chmod, OTHER, (const char *name, mode_t mode), AT_FDCWD, name, real(name, mode))
OF_NAME(fchmodat, OTHER, (int folder, const char *name, mode_t mode, int flags), folder, name,
        real(folder, name, mode, flags))
OF_NAME(utimensat, OTHER, (int folder, const char *name, const struct timespec times[2], int flags),
        folder, name ? name : "", real(folder, name, times, flags))
int fchmod(int fd, mode_t mode)
{
    REAL(fchmod);
    OF_FD(fd);
    AFTER(OTHER, "fchmod", path, "", real(fd, mode), -1);
}
int futimens(int fd, const struct timespec times[2])
{
    REAL(futimens);
    OF_FD(fd);
    AFTER(OTHER, "futimens", path, "", real(fd, times), -1);
}
