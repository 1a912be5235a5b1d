/* TAP for unit tests: each test program is a list of named checks and ends with tap_done(). */
#ifndef SDW_TESTS_TAP_H
#define SDW_TESTS_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 4, 5), unused)) static void tap_ok(int ok, const char *file, int line,
                                                                 const char *fmt, ...)
{
    va_list ap;
    printf("%sok %d - ", ok ? "" : "not ", ++tap_count);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    if (!ok) {
        tap_failed++;
        printf("# failed at %s:%d\n", file, line);
    }
}

#define ok(test, ...) tap_ok(!!(test), __FILE__, __LINE__, __VA_ARGS__)

#define is_text(got, want, ...)                                                                    \
    do {                                                                                           \
        const char *got_ = (got), *want_ = (want);                                                 \
        int same_ = got_ && strcmp(got_, want_) == 0;                                              \
        ok(same_, __VA_ARGS__);                                                                    \
        if (!same_)                                                                                \
            printf("#  got: %s\n# want: %s\n", got_ ? got_ : "(null)", want_);                     \
    } while (0)

#define is_near(got, want, tolerance, ...)                                                         \
    do {                                                                                           \
        double got_ = (got), want_ = (want);                                                       \
        int same_ = fabs(got_ - want_) <= (tolerance);                                             \
        ok(same_, __VA_ARGS__);                                                                    \
        if (!same_)                                                                                \
            printf("#  got: %.12g\n# want: %.12g\n", got_, want_);                                 \
    } while (0)

__attribute__((unused)) static int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}

#endif
