/* What a confined process may still do with files. In a child: the filter cannot be taken off. */
#include "sys/privilege.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ = 1, WROTE = 2, MADE = 4, REFUSED = 8 };

static bool opens(const char *name, int flags, int *answer)
{
    int fd = openat(AT_FDCWD, name, flags | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EPERM)
        *answer |= REFUSED;
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The exit status of a child that is confined to `calls` and tries to read, write and make a file.
 */
static int tried(const char *const *calls)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct sdw_err err = {0};
        int answer = 0;
        if (sdw_privilege_drop(NULL, NULL, &err) != 0 || sdw_privilege_confine(calls, &err) != 0)
            _exit(99);
        answer |= opens("/dev/null", O_RDONLY, &answer) ? READ : 0;
        answer |= opens("/dev/null", O_WRONLY, &answer) ? WROTE : 0;
        answer |= opens("/tmp", O_TMPFILE | O_RDWR, &answer) ? MADE : 0;
        _exit(answer);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#ifdef __SANITIZE_ADDRESS__
enum { FILTERS = 0 }; /* the sanitizers need more than any list has */
#else
enum { FILTERS = 1 };
#endif

int main(void)
{
    static const char *const reading[] = {"openat", NULL}, *const nothing[] = {NULL};
    int with = tried(reading), without = tried(nothing);
    ok(!FILTERS || with == (READ | REFUSED), "with openat a file is read, not written, none made");
    ok(!FILTERS || without == REFUSED, "without it no file is opened");
    return tap_done();
}
