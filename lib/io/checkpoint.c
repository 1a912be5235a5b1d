#include "io/checkpoint.h"
#include "core/map.h"
#include "io/wholefile.h"

#include <stdio.h>
#include <sys/stat.h>

static const size_t most_bytes = (size_t)1 << 32;
static const uint32_t byte_order = 0x01020304;

struct head {
    char tool[24];
    uint32_t version, order;
    uint64_t pointer_bytes, layout, bytes, checksum;
};

static uint64_t checksum_of(struct sdw_str body)
{
    return sdw_hash(body.p, body.n, 0);
}

int sdw_checkpoint_write(const char *path, const struct sdw_checkpoint *what, struct sdw_str body,
                         struct sdw_err *err)
{
    struct head head = {.version = what->version,
                        .order = byte_order,
                        .pointer_bytes = sizeof(void *),
                        .layout = what->layout,
                        .bytes = body.n,
                        .checksum = checksum_of(body)};
    snprintf(head.tool, sizeof head.tool, "%s", what->tool);
    struct sdw_buf text = {0};
    sdw_buf_add(&text, &head, sizeof head);
    sdw_buf_str(&text, body);
    int code = sdw_whole_replace(path, sdw_buf_view(&text), err);
    sdw_buf_release(&text);
    return code;
}

static const char *fault_of(const struct head *head, struct sdw_str body,
                            const struct sdw_checkpoint *what)
{
    if (head->order != byte_order || head->pointer_bytes != sizeof(void *))
        return "was written on another kind of machine";
    if (head->version != what->version)
        return "was written by another version";
    if (body.n < head->bytes)
        return "is cut short";
    if (body.n > head->bytes || checksum_of(body) != head->checksum)
        return "is damaged";
    if (head->layout != what->layout)
        return "was written with other settings or by another build";
    return NULL;
}

int sdw_checkpoint_open(struct sdw_str text, const char *path, const struct sdw_checkpoint *what,
                        struct sdw_str *body, struct sdw_err *err)
{
    struct head head;
    size_t n = strlen(what->tool) + 1;
    if (text.n < n || memcmp(text.p, what->tool, n) != 0)
        return sdw_err_set(err, SDW_EINPUT, "%s is not a state file of %s", path, what->tool);
    if (text.n < sizeof head)
        return sdw_err_set(err, SDW_EINPUT, "%s is cut short; remove it to begin anew", path);
    memcpy(&head, text.p, sizeof head);
    *body = (struct sdw_str){text.p + sizeof head, text.n - sizeof head};
    const char *fault = fault_of(&head, *body, what);
    if (fault)
        return sdw_err_set(err, SDW_EINPUT, "%s %s; remove it to begin anew", path, fault);
    return 1;
}

int sdw_checkpoint_read(const char *path, const struct sdw_checkpoint *what, struct sdw_buf *text,
                        struct sdw_str *body, struct sdw_err *err)
{
    struct stat file;
    if (stat(path, &file) == 0 && !S_ISREG(file.st_mode)) /* a pipe would be waited for */
        return sdw_err_set(err, SDW_EINPUT, "%s is no regular file", path);
    int code = sdw_whole_read(path, most_bytes, text, err);
    if (code == 1)
        code = sdw_checkpoint_open(sdw_buf_view(text), path, what, body, err);
    int writable = code >= 0 ? sdw_whole_writable(path, err) : 0;
    return writable < 0 ? writable : code;
}
