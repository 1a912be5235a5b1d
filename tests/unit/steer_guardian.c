#include "steer/guardian.h"
#include "unit/tap.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t ms = 1000000;

/* Messages that wait on the other side. */
static size_t heard(int fd)
{
    char message[512];
    size_t n = 0;
    while (recv(fd, message, sizeof message, MSG_DONTWAIT) > 0)
        n++;
    return n;
}

static void test_beats(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0) {
        ok(false, "a pair of sockets");
        return;
    }
    struct sdw_guardian guardian = {.pid = 1, .fd = pair[0]};
    is_near(sdw_guardian_beat(&guardian, 5000 * ms), 1000, 0, "the next beat is due in a second");
    ok(heard(pair[1]) == 1, "the first is sent at once");
    is_near(sdw_guardian_beat(&guardian, 5200 * ms), 800, 0, "after 0.2 s it is due in 0.8 s");
    ok(heard(pair[1]) == 0, "and none is sent before, however often it is called");
    (void)sdw_guardian_beat(&guardian, 6000 * ms);
    ok(heard(pair[1]) == 1, "after a second the next is sent");
    guardian.pid = 0;
    ok(sdw_guardian_beat(&guardian, 9000 * ms) < 0 && heard(pair[1]) == 0,
       "without a guardian none is due");
    close(pair[0]);
    close(pair[1]);
}

/* A guardian that does not get to run for a while knows of every unit all the same. */
static void test_notes(void)
{
    enum { UNITS = 20000 };
    struct sdw_steer_plan plan = {.n = UNITS};
    struct sdw_guardian guardian = {0};
    struct sdw_err err = {0};
    size_t right = 0;
    ok(sdw_guardian_start(&guardian, &plan, "/nowhere", 0, &err) == 0, "a guardian: %s", err.text);
    (void)kill(guardian.pid, SIGSTOP);
    for (uint32_t round = 1; round <= 3; round++)
        for (uint32_t u = 0; u < UNITS; u++) {
            struct sdw_guardian_note note = {.unit = u, .slot = u + round, .armed = true};
            sdw_guardian_tell(&guardian, &note, 5000 * ms);
        }
    for (uint32_t u = 0; u < UNITS; u++)
        right += sdw_guardian_note_of(&guardian, u).slot == u + 3;
    ok(right == UNITS, "the last note of each of %zu units is there", right);
    struct sdw_guardian_note beyond = {.unit = UNITS};
    sdw_guardian_tell(&guardian, &beyond, 5000 * ms);
    (void)kill(guardian.pid, SIGCONT);
    sdw_guardian_stop(&guardian);
    ok(guardian.pid == 0, "and it goes when it is told goodbye");
}

int main(void)
{
    test_notes();
    test_beats();
    return tap_done();
}
