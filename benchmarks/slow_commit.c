/* A disk that takes its time, as a cloud's does: every fdatasync of Postgres' log waits before it works.
 * Loaded into a benchmark's own server by LD_PRELOAD; the delay in microseconds comes from COMMIT_DELAY_US. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

int fdatasync(int fd)
{
    static int (*real)(int);
    static long delay_us = -1;
    if (!real) {
        const char *given = getenv("COMMIT_DELAY_US");
        delay_us = given ? atol(given) : 0;
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    }
    if (delay_us > 0)
        usleep((useconds_t)delay_us);
    return real(fd);
}
