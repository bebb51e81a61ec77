/* Preloaded into a program, it makes /dev/shm a place where nothing can be made, as in some containers and jails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

sem_t* sem_open(const char* name, int flags, ...)
{
    (void)name;
    (void)flags;
    errno = ENOENT;
    return SEM_FAILED;
}

int access(const char* path, int mode)
{
    int (*real)(const char*, int) = (int (*)(const char*, int))dlsym(RTLD_NEXT, "access");
    if (strcmp(path, "/dev/shm") == 0)
    {
        errno = ENOENT;
        return -1;
    }
    return real(path, mode);
}
