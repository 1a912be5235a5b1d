#include "shell/complete.h"
#include "core/mem.h"
#include "io/json.h"
#include "unit/tap.h"

#include <stdlib.h>

static const char spec[] =
    "{\"tool\":\"shadow-probe\",\"summary\":\"inject and measure\",\"options\":["
    "{\"name\":\"schedule\",\"letter\":\"s\",\"kind\":\"enum\",\"arg\":\"NAME\",\"help\":\"how to "
    "inject\",\"values\":[\"chirp\",\"lockin\"]},"
    "{\"name\":\"scope\",\"kind\":\"flag\",\"help\":\"die at each router\"},"
    "{\"name\":\"key\",\"kind\":\"text\",\"arg\":\"FILE\",\"help\":\"key\",\"complete\":\"file\"}],"
    "\"operands\":[{\"name\":\"DEST\",\"help\":\"where to\",\"many\":true,\"complete\":\"host\"}],"
    "\"commands\":[{\"name\":\"plan\",\"help\":\"write a plan\",\"options\":["
    "{\"name\":\"table\",\"kind\":\"text\",\"arg\":\"N\",\"help\":\"table\"}],\"operands\":[]}],"
    "\"common\":[{\"name\":\"format\",\"kind\":\"enum\",\"arg\":\"FORMAT\",\"help\":\"format\","
    "\"values\":[\"ndjson\",\"table\"]},{\"name\":\"only\",\"letter\":\"o\",\"kind\":\"list\","
    "\"arg\":\"TYPE\",\"help\":\"types\",\"complete\":\"type\"}]}";

static struct sdw_tool_entry entries[] = {
    {.name = NULL, .asked = true},
};

static void hosts(bool (*each)(void *arg, const char *host), void *arg)
{
    each(arg, "10.9.0.2");
    each(arg, "fd09::2");
}

/* The candidates at the end of the line, with blanks between; "+files" when file names fit. */
static const char *completed(const char *line, size_t fragment)
{
    static char out[4096];
    struct sdw_tools tools = {.entry = entries, .n = 1};
    struct sdw_completion c;
    sdw_complete(&c, &tools, sdw_str_of(line), fragment, hosts);
    out[0] = '\0';
    for (size_t i = 0; i < c.n; i++) {
        size_t used = strlen(out);
        snprintf(out + used, sizeof out - used, "%s%s", i ? " " : "", c.candidate[i]);
    }
    if (c.files)
        strncat(out, "+files", 7);
    sdw_completion_release(&c);
    return out;
}

static const char *explained(const char *line)
{
    static char text[2048];
    struct sdw_tools tools = {.entry = entries, .n = 1};
    struct sdw_buf out = {0};
    bool good = sdw_complete_explain(&tools, sdw_str_of(line), &out);
    snprintf(text, sizeof text, "%s", good ? out.n ? out.p : "" : "(a letter)");
    sdw_buf_release(&out);
    return text;
}

static void candidates(void)
{
    is_text(completed("pro", 3), "probe", "a tool begins a line");
    is_text(completed("cat x | pro", 3), "probe", "a tool begins a stage");
    is_text(completed("sa", 2), "save", "a builtin begins a line");
    is_text(completed("cat | sa", 2), "", "a builtin does not begin a later stage");
    is_text(completed("probe --sc", 4), "--schedule --scope", "options of the tool");
    is_text(completed("probe --fo", 4), "--format", "options of every tool");
    is_text(completed("probe --schedule ", 0), "chirp lockin", "values of an option");
    is_text(completed("probe --schedule=ch", 2), "chirp", "values behind =");
    is_text(completed("probe -s lo", 2), "lockin", "values of a letter");
    is_text(completed("probe -o verd", 4), "verdict", "record types");
    is_text(completed("probe -o slot,verd", 4), "verdict", "record types in a list");
    is_text(completed("probe --key x", 1), "+files", "files");
    is_text(completed("probe >x", 1), "+files", "the file of a redirection");
    is_text(completed("probe 10", 2), "10.9.0.2", "a host seen, IPv4");
    is_text(completed("probe 10.9.0.2 fd", 2), "fd09::2", "a host seen, IPv6");
    is_text(completed("probe pl", 2), "plan", "a sub-command");
    is_text(completed("probe plan --ta", 4), "--table", "options of a sub-command");
    is_text(completed("probe | jq '.bottleneck_", 12), ".bottleneck_hop", "fields in jq");
    is_text(completed("jq 'select(.type == \"verd", 4), "verdict", "types in jq");
    is_text(completed("cat x", 1), "+files", "files of an ordinary program");
    is_text(completed("cat # pro", 3), "", "nothing in a comment");
    is_text(completed("probe a; pro", 3), "probe", "a tool after ;");
}

static void explanations(void)
{
    ok(strstr(explained(""), "probe        inject and measure"), "tools are explained");
    ok(strstr(explained("probe --"), "--schedule NAME"), "options are explained");
    ok(!strstr(explained("probe --sco"), "--schedule"), "only those that can follow");
    ok(strstr(explained("probe --schedule "), "chirp, lockin"), "values are explained");
    ok(strstr(explained("probe "), "DEST"), "operands are explained");
    is_text(explained("probe 10.9"), "(a letter)", "inside a word ? is a letter");
    is_text(explained("jq '.x"), "(a letter)", "inside quotes ? is a letter");
    is_text(explained("cat "), "(a letter)", "of an ordinary program nothing is known");
}

int main(void)
{
    char name[] = "probe", command[] = "shadow-probe";
    entries[0].name = name;
    entries[0].command = command;
    entries[0].spec = sdw_json_parse(sdw_str_of(spec), NULL);
    ok(entries[0].spec != NULL, "the table of the test is JSON");
    candidates();
    explanations();
    sdw_json_free(entries[0].spec);
    return tap_done();
}
