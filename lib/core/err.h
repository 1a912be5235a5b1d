/*
 * How a library function says what went wrong.
 *
 * Every function that can fail returns 0 (or a count) on success and a negative sdw_code
 * otherwise, and fills the caller's struct sdw_err. Nothing in lib/ prints or exits.
 */
#ifndef SDW_CORE_ERR_H
#define SDW_CORE_ERR_H

#include "core/base.h"

/* Negative, so that a count and an error share one return value. */
enum sdw_code {
    SDW_OK = 0,
    SDW_ENO = -1,    /* the answer is "no": threshold crossed, unreachable, held by a guard */
    SDW_EUSAGE = -2, /* the command line or a configuration file is wrong */
    SDW_EINPUT = -3, /* some input was bad */
    SDW_ESYS = -4,   /* the system refused or failed */
    SDW_EPERM = -5,  /* the system refused for want of rights */
    SDW_EAGAIN = -6, /* nothing now, try again later */
    SDW_ESTOP = -7,  /* a signal or a deadline asked to stop */
};

/* What failed, and where in the input; line 0 and an empty field mean "not about input". */
struct sdw_err {
    int code;
    uint64_t line;
    char field[64];
    char text[384];
};

/* Each returns its code, so that `return sdw_err_set(err, SDW_EINPUT, ...)` reads well. err may
 * be NULL. sdw_err_sys appends strerror(errno) and picks SDW_EPERM for EPERM and EACCES.
 * sdw_err_field names the record's key that was wrong and returns SDW_EINPUT. */
int sdw_err_set(struct sdw_err *err, int code, const char *fmt, ...) SDW_PRINTF(3, 4);
int sdw_err_sys(struct sdw_err *err, const char *fmt, ...) SDW_PRINTF(2, 3);
int sdw_err_field(struct sdw_err *err, const char *field, const char *fmt, ...) SDW_PRINTF(3, 4);

/* The message as one line: "line 7: rtt_us: not a number". Returns out. */
const char *sdw_err_line(const struct sdw_err *err, char *out, size_t size);

/* The exit status of a tool that ends with this code: 0, 1, 2, 3 or 4. */
int sdw_err_exit_status(int code);

#endif
