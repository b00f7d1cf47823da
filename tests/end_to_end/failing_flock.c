/* A file system whose flock fails with $FLOCK_ERRNO: loaded before the program, it stands in for one without locks. */
#include <errno.h>
#include <stdlib.h>

int flock(int descriptor, int operation) {
  (void)descriptor, (void)operation;
  errno = atoi(getenv("FLOCK_ERRNO"));
  return -1;
}
