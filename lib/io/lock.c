#include "io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int sdw_lock_take(const char *path, struct sdw_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644);
    if (fd < 0)
        return sdw_err_sys(err, "cannot open the lock file %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int rc = errno == EWOULDBLOCK
                 ? sdw_err_set(err, SDW_ENO, "%s is held by another process: not started", path)
                 : sdw_err_sys(err, "cannot lock %s", path);
    close(fd);
    return rc;
}
