/* Feeds each file of a folder to a fuzz target, as a test: without clang the corpus is still
 * replayed. A fault ends the program, and with it the test. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the file whole; NULL when it cannot be read. */
static uint8_t *slurp(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        rewind(file);
        data = size >= 0 ? malloc((size_t)size + 1) : NULL;
        if (data)
            *n = fread(data, 1, (size_t)size, file);
    }
    fclose(file);
    return data;
}

int main(int argc, char **argv)
{
    DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;
    if (!dir) {
        printf("not ok 1 - the corpus %s can be read: %s\n1..1\n", argc > 1 ? argv[1] : "",
               strerror(errno));
        return 1;
    }
    int count = 0, failed = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        size_t n = 0;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        uint8_t *data = slurp(path, &n);
        if (data)
            LLVMFuzzerTestOneInput(data, n);
        printf("%sok %d - takes %s\n", data ? "" : "not ", ++count, entry->d_name);
        failed += !data;
        free(data);
    }
    closedir(dir);
    if (!count)
        printf("not ok %d - the corpus %s has a file\n", ++count, argv[1]);
    printf("1..%d\n", count);
    return failed != 0;
}
