#include "steer/guardian.h"
#include "unit/tap.h"

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

int main(void)
{
    test_beats();
    return tap_done();
}
