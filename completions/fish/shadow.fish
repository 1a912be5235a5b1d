# fish completion of shadow, generated from its command table
complete -c shadow -f
function __shadow_tool_line
    set -l words (commandline -opc)
    set -e words[1]
    while string match -q -- '-*' "$words[1]"
        contains -- $words[1] --format --color --only -o --lock --deadline --command -c --file -f; and set -e words[1]
        set -e words[1]
    end
    set -q words[1]; and not contains -- $words[1] filter records doctor; or return 1
    echo shadow-(string join -- ' ' (string escape -- $words)) (commandline -ct)
end
complete -c shadow -n '__shadow_tool_line >/dev/null' -a '(complete -C (__shadow_tool_line))'
complete -c shadow -n '__fish_use_subcommand' -s c -l command -x -d 'run these lines instead of reading them'
complete -c shadow -n '__fish_use_subcommand' -s f -l file -r -F -d 'run the lines of a file'
complete -c shadow -n '__fish_use_subcommand' -s k -l keep-going -d 'do not stop at the first line that fails'
complete -c shadow -s h -l help -d 'print this help'
complete -c shadow -s V -l version -d 'print the version'
complete -c shadow -s q -l quiet -d 'print errors only on standard error'
complete -c shadow -s v -l verbose -d 'print more on standard error'
complete -c shadow -l format -x -a 'auto ndjson table csv' -d 'output format; auto is a table on a terminal and ndjson elsewhere'
complete -c shadow -l color -x -a 'auto always never' -d 'colour the table; auto is on a terminal unless NO_COLOR is set'
complete -c shadow -s o -l only -r -a '(shadow records 2>/dev/null | sed "s/.*\"name\":\"//; s/\".*//")' -d 'print only records of these types'
complete -c shadow -l strict -d 'stop at the first bad input line'
complete -c shadow -l lock -r -F -d 'hold a lock on this file; exit with 1 at once when another process holds it'
complete -c shadow -l deadline -x -d 'stop after this time'
complete -c shadow -n '__fish_use_subcommand' -a '(complete -C shadow- | string replace -rf "^shadow-(\\S+).*" "\$1")' -d 'run this tool, with what follows as its command line'
complete -c shadow -n '__fish_use_subcommand' -a filter -d 'pass the records that meet all conditions, byte for byte'
complete -c shadow -n '__fish_use_subcommand' -a records -d 'list the record types, or the fields of one'
complete -c shadow -n '__fish_seen_subcommand_from records' -l schema -d 'print JSON Schema (draft 2020-12)'
complete -c shadow -n '__fish_seen_subcommand_from records' -a '(shadow records 2>/dev/null | sed "s/.*\"name\":\"//; s/\".*//")' -d 'list the fields of this record type'
complete -c shadow -n '__fish_use_subcommand' -a doctor -d 'say what this machine allows, and which command would allow more'
