#include "steer/guardian.h"
#include "core/clock.h"
#include "steer/apply.h"
#include "steer/ledger.h"
#include "steer/load.h"
#include "steer/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* One message over the socket. */
enum message { MESSAGE_BEAT, MESSAGE_GOODBYE };

/* The note of a unit, twice: the one that is written does not count before it is whole. */
struct sdw_guardian_slot {
    _Atomic uint32_t told; /* how many there were: note[told % 2] counts */
    struct sdw_guardian_note note[2];
};

enum {
    BEAT_MS = 1000,
    SILENCE_MS = 10 * BEAT_MS,
    STEP_MS = 20,
    DYING_STEPS = 250,
    NS_PER_MS = 1000 * 1000
};

/* The guardian's own memory. */
struct watchman {
    struct sdw_guardian from; /* its end of what it shares with shadow-steer */
    int ward;                 /* the process id of that */
    struct sdw_steer_plan *plan;
    const char *state_dir;
    int64_t grace_us;
    struct sdw_netlink netlink;
    struct sdw_journal journal;
};

static size_t slots_size(size_t n)
{
    return (n + 1) * sizeof(struct sdw_guardian_slot);
}

void sdw_guardian_tell(struct sdw_guardian *guardian, const struct sdw_guardian_note *note,
                       int64_t mono_ns)
{
    if (note->unit < guardian->n) {
        struct sdw_guardian_slot *slot = &guardian->slot[note->unit];
        uint32_t next = atomic_load_explicit(&slot->told, memory_order_relaxed) + 1;
        slot->note[next % 2] = *note;
        atomic_store_explicit(&slot->told, next, memory_order_release);
    }
    (void)sdw_guardian_beat(guardian, mono_ns);
}

struct sdw_guardian_note sdw_guardian_note_of(const struct sdw_guardian *guardian, size_t unit)
{
    const struct sdw_guardian_slot *slot = &guardian->slot[unit];
    return slot->note[atomic_load_explicit(&slot->told, memory_order_acquire) % 2];
}

static void send_message(const struct sdw_guardian *guardian, enum message what, int flags)
{
    uint32_t message = what;
    (void)send(guardian->fd, &message, sizeof message, flags | MSG_NOSIGNAL);
}

int sdw_guardian_beat(struct sdw_guardian *guardian, int64_t mono_ns)
{
    if (!guardian->pid)
        return -1;
    int64_t left_ms = BEAT_MS - (mono_ns - guardian->beat_ns) / NS_PER_MS;
    if (guardian->beat_ns && left_ms > 0)
        return (int)left_ms;
    send_message(guardian, MESSAGE_BEAT, MSG_DONTWAIT);
    guardian->beat_ns = mono_ns;
    return BEAT_MS;
}

void sdw_guardian_stop(struct sdw_guardian *guardian)
{
    if (!guardian->pid)
        return;
    send_message(guardian, MESSAGE_GOODBYE, 0);
    close(guardian->fd);
    (void)munmap(guardian->slot, slots_size(guardian->n));
    while (waitpid(guardian->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    guardian->pid = 0;
}

/* Whether a change still waits for confirmation and its time is over. */
static bool overdue(const struct watchman *man)
{
    for (size_t i = 0; i < man->plan->n; i++) {
        struct sdw_guardian_note note = sdw_guardian_note_of(&man->from, i);
        if (note.armed && note.confirm_by_ns && note.confirm_by_ns < sdw_mono_ns())
            return true;
    }
    return false;
}

/* Listen until the ward is gone: 1; 0 when it said goodbye. */
static int listen_to_ward(struct watchman *man)
{
    int silent_ms = 0;
    for (;;) {
        struct pollfd fd = {.fd = man->from.fd, .events = POLLIN};
        int n = poll(&fd, 1, BEAT_MS);
        if (n < 0 && errno != EINTR)
            return 1;
        silent_ms = n > 0 ? 0 : silent_ms + BEAT_MS;
        if (silent_ms >= SILENCE_MS && overdue(man)) {
            (void)kill(man->ward, SIGKILL); /* it hangs: nobody may act beside the guardian */
            return 1;
        }
        if (n <= 0)
            continue;
        uint32_t message;
        ssize_t got = recv(man->from.fd, &message, sizeof message, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)sizeof message)
            return 1;
        if (message == MESSAGE_GOODBYE)
            return 0;
    }
}

static void record(struct watchman *man, const struct sdw_guardian_note *note, const char *op,
                   enum sdw_unit_state state, const char *why)
{
    const struct sdw_steer_unit *unit = &man->plan->unit[note->unit];
    struct sdw_journal_entry entry = {.ts = sdw_wall_us(),
                                      .op = sdw_str_of(op),
                                      .unit = sdw_str_of(unit->name),
                                      .state = sdw_str_of(sdw_unit_state_name(state)),
                                      .why = sdw_str_of(why),
                                      .slot = note->slot,
                                      .n = unit->n_ways};
    memcpy(entry.share, note->share, entry.n * sizeof entry.share[0]);
    (void)sdw_journal_append(&man->journal, &entry, NULL);
}

/* Put one unit back where the guards allow. */
static void act(struct watchman *man, struct sdw_guardian_note *note)
{
    struct sdw_steer_unit *unit = &man->plan->unit[note->unit];
    bool up[SDW_WAYS_MAX] = {false}, hop_up[SDW_FIB_HOPS] = {false};
    double share[SDW_WAYS_MAX];
    struct sdw_err err = {0};
    if (sdw_load_resolve(&man->netlink, unit, up, hop_up, &err) < 0)
        return;
    struct sdw_target target = {unit, note->slot, up, hop_up, share, NULL};
    const struct sdw_back *back = sdw_back_of(unit);
    int got = back->read(&man->netlink, &target, share, &err);
    if (got < 0)
        return;
    if (got == 0) { /* it was killed while it armed: what is there already goes too */
        memset(share, 0, sizeof share);
        share[0] = 1;
    }
    bool room = note->room_until_ns > sdw_mono_ns();
    memcpy(note->share, share, sizeof note->share);
    if (share[0] < 1 - 1e-6 && !(up[0] && room)) {
        record(man, note, "adopt", SDW_UNIT_SHIFTED,
               "guardian: shadow-steer died; the primary is not known to have room, nothing moved");
        return;
    }
    if (back->disarm(&man->netlink, &target, &err) < 0)
        return;
    memset(note->share, 0, sizeof note->share);
    note->share[0] = 1;
    record(man, note, "disarm", SDW_UNIT_PRIMARY,
           "guardian: shadow-steer died; back to the routes of before");
}

/* Wait for a successor as long as the grace lasts; act when none has taken the lock. The journal
 * says what is armed: the last note may not have been written any more. */
static void take_over(struct watchman *man)
{
    char path[256];
    struct sdw_ledger ledger = {0};
    int64_t until = sdw_mono_ns() + man->grace_us * 1000;
    int lock;
    /* A process that dies closes the socket before it lets go of the lock: not a successor yet. */
    for (int wait = 0; getppid() == man->ward && wait < DYING_STEPS; wait++)
        poll(NULL, 0, STEP_MS);
    while (sdw_mono_ns() < until) {
        lock = sdw_state_lock(man->state_dir, NULL);
        if (lock < 0) /* a successor has it, and reconciles */
            return;
        close(lock);
        poll(NULL, 0, STEP_MS);
    }
    lock = sdw_state_lock(man->state_dir, NULL);
    if (lock < 0 || sdw_state_path(man->state_dir, "journal", path, NULL) < 0 ||
        sdw_journal_open(&man->journal, path, true, sdw_ledger_take, &ledger, NULL) < 0 ||
        sdw_netlink_open(&man->netlink, 0, NULL) < 0)
        return;
    for (size_t i = 0; i < ledger.n; i++) {
        const struct sdw_steer_unit *unit =
            sdw_steer_plan_find(man->plan, sdw_str_of(ledger.unit[i].name));
        if (!unit || !ledger.unit[i].armed)
            continue;
        struct sdw_guardian_note note =
            sdw_guardian_note_of(&man->from, (size_t)(unit - man->plan->unit));
        note.unit = (uint32_t)(unit - man->plan->unit);
        note.slot = (uint32_t)ledger.unit[i].slot;
        act(man, &note);
    }
    (void)sdw_journal_sync(&man->journal, NULL);
}

/* Only the socket stays open: nobody who reads from the ward waits for its guardian. */
static void let_go(int keep)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
    }
    for (int fd = 3; fd < 1024; fd++)
        if (fd != keep)
            close(fd);
    (void)setsid();
    (void)prctl(PR_SET_NAME, "steer-guardian");
}

int sdw_guardian_start(struct sdw_guardian *guardian, struct sdw_steer_plan *plan,
                       const char *state_dir, int64_t grace_us, struct sdw_err *err)
{
    int pair[2];
    int ward = getpid();
    void *slots =
        mmap(NULL, slots_size(plan->n), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (slots == MAP_FAILED)
        return sdw_err_sys(err, "guardian: memory");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        (void)munmap(slots, slots_size(plan->n));
        return sdw_err_sys(err, "guardian");
    }
    pid_t pid = fork();
    if (pid < 0) {
        (void)munmap(slots, slots_size(plan->n));
        close(pair[0]);
        close(pair[1]);
        return sdw_err_sys(err, "guardian: fork");
    }
    if (pid > 0) {
        close(pair[1]);
        *guardian = (struct sdw_guardian){.pid = pid, .fd = pair[0], .slot = slots, .n = plan->n};
        return 0;
    }
    struct watchman man = {.from = {.fd = pair[1], .slot = slots, .n = plan->n},
                           .ward = ward,
                           .plan = plan,
                           .state_dir = state_dir,
                           .grace_us = grace_us,
                           .journal.fd = -1};
    let_go(man.from.fd);
    if (listen_to_ward(&man))
        take_over(&man);
    _exit(0);
}
