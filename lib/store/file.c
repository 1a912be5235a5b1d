#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int sdw_file_map(struct sdw_file *file, int dir, const char *name, struct sdw_err *err)
{
    struct stat is;
    *file = (struct sdw_file){0};
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        bool absent = errno == ENOENT;
        int code = sdw_err_sys(err, "cannot open %s", name);
        return absent ? SDW_ENO : code;
    }
    int code = fstat(fd, &is) < 0 ? sdw_err_sys(err, "cannot read %s", name) : 0;
    if (code == 0 && is.st_size > 0) {
        void *map = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
            code = sdw_err_sys(err, "cannot read %s", name);
        else
            *file = (struct sdw_file){map, (size_t)is.st_size};
    }
    close(fd);
    return code;
}

void sdw_file_unmap(struct sdw_file *file)
{
    if (file->p)
        munmap((void *)(uintptr_t)file->p, file->n);
    *file = (struct sdw_file){0};
}

int sdw_file_write(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

int sdw_file_store(int dir, const char *name, const struct sdw_file *file)
{
    int fd = openat(dir, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int bad = sdw_file_write(fd, file->p, file->n) < 0 || fsync(fd) < 0;
    bad = close(fd) < 0 || bad;
    if (!bad && renameat(dir, "new", dir, name) == 0)
        return fsync(dir);
    int why = errno;
    unlinkat(dir, "new", 0); /* what there is of it only takes room */
    errno = why;
    return -1;
}
