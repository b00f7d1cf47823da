// A file system that fails, for tests: preloaded, it lets the N-th call of one kind on files whose path holds a text fail.
//   FAIL_CALL   open | write | fsync | rename     FAIL_PATH  part of the path     FAIL_ERRNO  number
//   FAIL_AFTER  calls that still work (default 0); once one has failed all later ones do
//   FAIL_SHORT  write: bytes that a call writes at most (no error): every write is a short one
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(const char* call, const char* path) {
  static int left = -1;
  const char *wanted = getenv("FAIL_CALL"), *part = getenv("FAIL_PATH"), *after = getenv("FAIL_AFTER"), *code = getenv("FAIL_ERRNO");
  if (!wanted || !part || !code || strcmp(wanted, call) != 0 || !strstr(path, part)) return 0;
  if (left < 0) left = after ? atoi(after) : 0;
  if (left > 0) {
    --left;
    return 0;
  }
  errno = atoi(code);
  return 1;
}

static int descriptor_fails(const char* call, int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = '\0';
  return fails(call, path);
}

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const int mode = va_arg(list, int);
  va_end(list);
  if (fails("open", path)) return -1;
  return ((int (*)(const char*, int, ...))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  const char* most = getenv("FAIL_SHORT");
  if (descriptor_fails("write", descriptor)) return -1;
  if (most && descriptor > 2 && count > (size_t)atoi(most)) count = (size_t)atoi(most);
  return ((ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write"))(descriptor, bytes, count);
}

int fsync(int descriptor) {
  if (descriptor_fails("fsync", descriptor)) return -1;
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(descriptor);
}

int fdatasync(int descriptor) {
  if (descriptor_fails("fsync", descriptor)) return -1;
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(descriptor);
}

int rename(const char* from, const char* to) {
  if (fails("rename", to)) return -1;
  return ((int (*)(const char*, const char*))dlsym(RTLD_NEXT, "rename"))(from, to);
}
