# Join a generated page (standard input) with the sections written by hand (the file IN):
#   TOOL --generate mdoc | awk -v IN=man/TOOL.1.in -v DATE='November 20, 2026' -f man/page.awk

BEGIN {
    while ((getline line < IN) > 0) {
        if (line ~ /^\.Sh /) {
            title = substr(line, 5)
            order[++n] = title
        } else if (title != "") {
            body[title] = body[title] line "\n"
        }
    }
    n_last = split("DIAGNOSTICS,SEE ALSO,STANDARDS,HISTORY,AUTHORS,CAVEATS,BUGS", last, ",")
    for (i = 1; i <= n_last; i++)
        is_last[last[i]] = 1
    if (!("SEE ALSO" in body))
        body["SEE ALSO"] = ".Xr shadow 1 ,\n.Xr shadow-records 5 ,\n.Xr shadow 7\n"
}

function put_section(title)
{
    printf ".Sh %s\n%s", title, body[title]
    delete body[title]
}

/^@OTHER SECTIONS@$/ {
    for (i = 1; i <= n; i++)
        if ((order[i] in body) && !is_last[order[i]] && order[i] !~ /^(ENVIRONMENT|FILES)$/)
            put_section(order[i])
    next
}

/^@LAST SECTIONS@$/ {
    for (i = 1; i <= n_last; i++)
        if (last[i] in body)
            put_section(last[i])
    next
}

/^@[A-Z ]+@$/ {
    title = substr($0, 2, length($0) - 2)
    if (title in body)
        printf "%s", body[title]
    delete body[title]
    next
}

{
    sub(/@DATE@/, DATE)
    print
}
