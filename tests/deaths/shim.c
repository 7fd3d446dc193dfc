// Lets the n-th call of one kind fail, for the files of some folders: what a full disk, a failing one, a signal or an odd file system
// answers. Preloaded into a stack program by the tests beside it.
//
//   SHIM_FOLDERS=/a/b:/c    only files in these folders and below are touched
//   SHIM_FAULT=write:3:ENOSPC            the third write fails
//   SHIM_FAULT=write:3:ENOSPC:always     and every one after it
//   SHIM_FAULT=write:3:short             the third write writes half
//   SHIM_FAULT=full:5:ENOSPC:always      from the fifth call that takes space on, all of those fail
//   SHIM_COUNTS=/file       at the end: how many calls of each kind there were, a line each

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { OPEN, READ, WRITE, SYNC, DIRSYNC, RENAME, LINK, UNLINK, TRUNCATE, LOCK, FCNTL, CLOSE, MODE, MKDIR, FULL, KINDS };

static const char *const NAMES[KINDS] = {"open", "read",  "write", "sync",  "dirsync", "rename", "link", "unlink",
                                         "truncate", "lock", "fcntl", "close", "mode",  "mkdir",  "full"};

static const struct {
  const char *name;
  int number;
} ERRORS[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EINTR", EINTR},   {"EPERM", EPERM},   {"EMLINK", EMLINK},
              {"ENOTSUP", ENOTSUP}, {"EINVAL", EINVAL}, {"ENOLCK", ENOLCK}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}};

static atomic_ulong counts[KINDS];
static const char *folders;
static int fault = -1;
static unsigned long nth;
static int number; // 0: short
static int always;

__attribute__((constructor)) static void begin(void) {
  folders = getenv("SHIM_FOLDERS");
  const char *text = getenv("SHIM_FAULT");
  if (!text) return;
  char copy[128];
  snprintf(copy, sizeof copy, "%s", text);
  char *rest = NULL, *kind = strtok_r(copy, ":", &rest), *count = strtok_r(NULL, ":", &rest), *how = strtok_r(NULL, ":", &rest);
  always = strtok_r(NULL, ":", &rest) != NULL;
  for (int k = 0; kind && k < KINDS; k++)
    if (!strcmp(kind, NAMES[k])) fault = k;
  nth = count ? strtoul(count, NULL, 10) : 0;
  int known = how && !strcmp(how, "short");
  for (size_t e = 0; how && e < sizeof ERRORS / sizeof *ERRORS; e++)
    if (!strcmp(how, ERRORS[e].name)) number = ERRORS[e].number, known = 1;
  if (fault < 0 || nth == 0 || !known) {
    fprintf(stderr, "SHIM_FAULT=%s means nothing\n", text);
    _exit(125);
  }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("SHIM_COUNTS");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  for (int k = 0; k < KINDS; k++) fprintf(file, "%s %lu\n", NAMES[k], counts[k]);
  fclose(file);
}

static int is_below(const char *path) {
  for (const char *folder = folders; folder && *folder;) {
    size_t length = strcspn(folder, ":");
    if (!strncmp(path, folder, length) && (path[length] == 0 || path[length] == '/')) return 1;
    folder += length + (folder[length] == ':');
  }
  return 0;
}

// Paths are taken as they are written, from the current folder on: the program under test makes them absolute or plain.
static int is_ours(int at, const char *path) {
  char whole[PATH_MAX * 2];
  if (!path) return 0;
  if (path[0] == '/') return is_below(path);
  char base[PATH_MAX], link[64];
  if (at == AT_FDCWD) {
    if (!getcwd(base, sizeof base)) return 0;
  } else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, base, sizeof base - 1);
    if (length < 0) return 0;
    base[length] = 0;
  }
  snprintf(whole, sizeof whole, "%s/%s", base, path);
  return is_below(whole);
}

static int is_our_file(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

// Counts a call; whether it fails.
static int fails(enum kind kind) {
  int saved = errno;
  unsigned long count = atomic_fetch_add(&counts[kind], 1) + 1;
  errno = saved;
  if ((int)kind != fault || (always ? count < nth : count != nth)) return 0;
  errno = number;
  return 1;
}

static int takes_space(void) { return fails(FULL); }

static int open_fails(int at, const char *path, int flags) {
  return is_ours(at, path) && ((flags & O_CREAT && takes_space()) || fails(OPEN));
}

#define OPENER(name)                                              \
  int name(const char *path, int flags, ...) {                    \
    va_list rest;                                                 \
    va_start(rest, flags);                                        \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                 \
    if (open_fails(AT_FDCWD, path, flags)) return -1;             \
    return REAL(name)(path, flags, mode);                         \
  }
OPENER(open)
OPENER(open64)

#define OPENER_AT(name)                                           \
  int name(int at, const char *path, int flags, ...) {            \
    va_list rest;                                                 \
    va_start(rest, flags);                                        \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                 \
    if (open_fails(at, path, flags)) return -1;                   \
    return REAL(name)(at, path, flags, mode);                     \
  }
OPENER_AT(openat)
OPENER_AT(openat64)

// How many bytes a read or write moves; -1 where it fails.
static ssize_t moved(int fd, size_t count, enum kind kind) {
  if (!is_our_file(fd)) return (ssize_t)count;
  if (kind == WRITE && takes_space()) return -1;
  if (!fails(kind)) return (ssize_t)count;
  if (number) return -1;
  return (ssize_t)(count > 1 ? count / 2 : count);
}

ssize_t read(int fd, void *bytes, size_t count) {
  ssize_t part = moved(fd, count, READ);
  return part < 0 ? -1 : REAL(read)(fd, bytes, (size_t)part);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  ssize_t part = moved(fd, count, WRITE);
  return part < 0 ? -1 : REAL(write)(fd, bytes, (size_t)part);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  ssize_t part = moved(fd, count, WRITE);
  return part < 0 ? -1 : REAL(pwrite64)(fd, bytes, (size_t)part, offset);
}

static int is_folder(int fd) {
  struct stat found;
  return fstat(fd, &found) == 0 && S_ISDIR(found.st_mode);
}

static int sync_fails(int fd) { return is_our_file(fd) && fails(is_folder(fd) ? DIRSYNC : SYNC); }

int fsync(int fd) { return sync_fails(fd) ? -1 : REAL(fsync)(fd); }

int fdatasync(int fd) { return sync_fails(fd) ? -1 : REAL(fdatasync)(fd); }

int rename(const char *from, const char *to) {
  return is_ours(AT_FDCWD, to) && fails(RENAME) ? -1 : REAL(rename)(from, to);
}

int link(const char *from, const char *to) {
  return is_ours(AT_FDCWD, to) && (takes_space() || fails(LINK)) ? -1 : REAL(link)(from, to);
}

int linkat(int at, const char *from, int there, const char *to, int flags) {
  return is_ours(there, to) && (takes_space() || fails(LINK)) ? -1 : REAL(linkat)(at, from, there, to, flags);
}

int unlink(const char *path) { return is_ours(AT_FDCWD, path) && fails(UNLINK) ? -1 : REAL(unlink)(path); }

int unlinkat(int at, const char *path, int flags) {
  return is_ours(at, path) && fails(UNLINK) ? -1 : REAL(unlinkat)(at, path, flags);
}

int ftruncate64(int fd, off64_t length) { return is_our_file(fd) && fails(TRUNCATE) ? -1 : REAL(ftruncate64)(fd, length); }

int flock(int fd, int operation) { return is_our_file(fd) && fails(LOCK) ? -1 : REAL(flock)(fd, operation); }

static int fcntl_fails(int fd) { return is_our_file(fd) && fails(FCNTL); }

#define CONTROL(name)                              \
  int name(int fd, int command, ...) {             \
    va_list rest;                                  \
    va_start(rest, command);                       \
    void *argument = va_arg(rest, void *);         \
    va_end(rest);                                  \
    if (fcntl_fails(fd)) return -1;                \
    return REAL(name)(fd, command, argument);      \
  }
CONTROL(fcntl)
CONTROL(fcntl64)

// A descriptor is closed whatever the answer is.
int close(int fd) {
  int failed = is_our_file(fd) && fails(CLOSE), saved = errno;
  int closed = REAL(close)(fd);
  if (!failed) return closed;
  errno = saved;
  return -1;
}

int fchmod(int fd, mode_t mode) { return is_our_file(fd) && fails(MODE) ? -1 : REAL(fchmod)(fd, mode); }

int chmod(const char *path, mode_t mode) { return is_ours(AT_FDCWD, path) && fails(MODE) ? -1 : REAL(chmod)(path, mode); }

int mkdir(const char *path, mode_t mode) {
  return is_ours(AT_FDCWD, path) && (takes_space() || fails(MKDIR)) ? -1 : REAL(mkdir)(path, mode);
}
