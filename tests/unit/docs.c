/* JSON as programs print it: back to back, over many lines, and not quite JSON. */
#include "tap.h"

#include "io/docs.h"

#include <stdlib.h>

/* Everything that comes out, documents in front of '|', bad lines as '!'. chunk: bytes at a time.
 */
static const char *out_of(const char *text, size_t chunk, struct sdw_buf *out)
{
    struct sdw_docs docs = {0};
    size_t n = strlen(text);
    sdw_buf_clear(out);
    sdw_buf_text(out, "");
    for (size_t at = 0; at < n; at += chunk) {
        struct sdw_str doc;
        int more;
        sdw_docs_feed(&docs, (struct sdw_str){text + at, chunk < n - at ? chunk : n - at});
        while ((more = sdw_docs_next(&docs, &doc, NULL)) != 0) {
            if (more > 0)
                sdw_buf_str(out, doc);
            sdw_buf_char(out, more > 0 ? '|' : '!');
        }
    }
    if (sdw_docs_end(&docs, NULL) < 0)
        sdw_buf_char(out, '?');
    sdw_docs_release(&docs);
    return out->p;
}

int main(void)
{
    static const struct {
        const char *in, *out, *say;
    } cases[] = {
        {"{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}|{\"a\":2}|", "one a line"},
        {"{\n  \"a\": [1, 2],\n  \"b\": {}\n}\n{\n}", "{\"a\":[1,2],\"b\":{}}|{}|",
         "over many lines"},
        {"[\n {\"a\":1},\n {\"a\":2}\n]\n[{\"a\":3}]", "{\"a\":1}|{\"a\":2}|{\"a\":3}|",
         "elements of a great array come one by one"},
        {"{\"a\":1}{\"a\":2}\x1e{\"a\":3}", "{\"a\":1}|{\"a\":2}|{\"a\":3}|",
         "back to back, or behind record separators"},
        {"{\"a\":\"}{[,nan\\\"\"}", "{\"a\":\"}{[,nan\\\"\"}|", "strings are left alone"},
        {"{\"a\":-nan,\"b\":nan,\"c\":[Infinity,-inf,1e3]}",
         "{\"a\":null,\"b\":null,\"c\":[null,null,1e3]}|", "what is no number becomes null"},
        {"{\"a\":[1,2,],\"b\":{\"c\":3,},}", "{\"a\":[1,2],\"b\":{\"c\":3}}|",
         "a comma too many is dropped"},
        {"{\"hubs\":[{\"a\":1}\n{\"a\":2}]\n\"b\":\"x\" \"c\":4}",
         "{\"hubs\":[{\"a\":1},{\"a\":2}],\"b\":\"x\",\"c\":4}|", "a comma that is missing is put"},
        {"mtr: unable\n{\"a\":1}\n", "!{\"a\":1}|", "a line of text in between is bad"},
        {"{\"a\":1}\n{\"a\":", "{\"a\":1}|?", "a document that is cut off is told"},
        {"", "", "nothing is nothing"},
    };
    struct sdw_buf out = {0};
    for (size_t i = 0; i < SDW_LEN(cases); i++) {
        is_text(out_of(cases[i].in, 1000, &out), cases[i].out, "%s", cases[i].say);
        is_text(out_of(cases[i].in, 1, &out), cases[i].out, "%s, a byte at a time", cases[i].say);
    }
    sdw_buf_release(&out);

    struct sdw_docs docs = {0};
    struct sdw_str doc;
    struct sdw_err err = {0};
    sdw_docs_feed(&docs, sdw_str_of("\n\n{\"a\":\n1}\nx\n"));
    ok(sdw_docs_next(&docs, &doc, NULL) == 1 && sdw_docs_line(&docs) == 3,
       "the line a document begins on is known");
    ok(sdw_docs_next(&docs, &doc, &err) == SDW_EINPUT && err.line == 5, "and that of a bad one");
    sdw_docs_release(&docs);
    return tap_done();
}
