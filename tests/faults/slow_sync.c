/* To be preloaded: a disk on which fsync of a file takes SLOW_SYNC_SECONDS, and says so by making the file SLOW_SYNC_BEGUN. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int fsync(int file)
{
    int (*const real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    const char* const seconds = getenv("SLOW_SYNC_SECONDS");
    const char* const begun = getenv("SLOW_SYNC_BEGUN");
    struct stat status;
    if (seconds && begun && fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 100000)
    {
        close(open(begun, O_WRONLY | O_CREAT, 0666));
        struct timespec left = {atoi(seconds), 0};
        while (nanosleep(&left, &left) != 0)
        {
        }
    }
    return real(file);
}
