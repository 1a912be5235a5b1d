/* What /proc says of this machine. */
#include "tap.h"

#include "sys/procstat.h"

static void processors(void)
{
    struct sdw_cpu_count cpu;
    ok(sdw_cpu_parse(sdw_str_of("cpu  10 2 3 100 5 1 7 4 6 0\ncpu0 1 1 1 1\n"), &cpu),
       "the line of all processors is read");
    ok(cpu.total == 132 && cpu.idle == 105 && cpu.softirq == 7 && cpu.steal == 4,
       "guests are not counted twice, waiting for I/O is idle");
    ok(!sdw_cpu_parse(sdw_str_of("cpu0 1 2 3 4\n"), &cpu), "one processor alone is not all");
    ok(!sdw_cpu_parse(sdw_str_of("cpu  10 2 x\n"), &cpu), "words are no ticks");
    ok(!sdw_cpu_parse(sdw_str_of("cpu  99999999999999999999 0 0 0\n"), &cpu),
       "what does not fit is refused");
}

static void memory(void)
{
    struct sdw_memory m;
    ok(sdw_memory_parse(sdw_str_of("MemTotal:  100 kB\nMemFree: 1 kB\nMemAvailable:  40 kB\n"
                                   "SwapTotal: 8 kB\nSwapFree: 2 kB\n"),
                        &m) &&
           m.total_bytes == 102400 && m.available_bytes == 40960 && m.swap_total_bytes == 8192 &&
           m.swap_free_bytes == 2048,
       "sizes are bytes");
    ok(!sdw_memory_parse(sdw_str_of("MemTotal: 100 kB\n"), &m), "without what is available: no");
    ok(!sdw_memory_parse(sdw_str_of("MemTotal: 100 kB\nMemAvailable: 101 kB\n"), &m),
       "more available than there is: no");
}

static void pressure(void)
{
    struct sdw_pressure p;
    ok(sdw_pressure_parse(sdw_str_of("some avg10=1.00 avg60=2.00 avg300=3.00 total=1234\n"
                                     "full avg10=0.00 avg60=0.00 avg300=0.00 total=56\n"),
                          &p) &&
           p.some_us == 1234 && p.full_us == 56,
       "the totals of some and full are read");
    ok(!sdw_pressure_parse(sdw_str_of("some avg10=1.00 total=\n"), &p), "an empty total is none");
}

static void softnet(void)
{
    struct sdw_softnet s;
    ok(sdw_softnet_parse(sdw_str_of("0000000a 00000001 00000002 00000000\n"
                                    "00000010 00000003 000000ff 00000000\n"),
                         &s) &&
           s.packets == 26 && s.dropped == 4 && s.squeezed == 257,
       "processors are added up, in hexadecimal");
    ok(!sdw_softnet_parse(sdw_str_of("0000000a 00000001\n"), &s), "a short line is refused");
    ok(!sdw_softnet_parse(sdw_str_of(""), &s), "an empty file is refused");
}

int main(void)
{
    int64_t number;
    processors();
    memory();
    pressure();
    softnet();
    ok(sdw_proc_number(sdw_str_of("262144\n"), &number) && number == 262144, "one number");
    ok(!sdw_proc_number(sdw_str_of("1 2\n"), &number), "two are not one");
    return tap_done();
}
