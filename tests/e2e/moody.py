#!/usr/bin/env python3
"""An engine that answers one POST after the other with each STATUS given, the last one for ever, and
a GET with the first and words in JSON. Prints its port; writes the number of POSTs into `posts`.
With TOKEN in the environment a POST without that bearer token is answered with 401."""
import os
import sys

import web

answers = [int(status) for status in sys.argv[1:]]
token = os.environ.get('TOKEN')


def answer(asked):
    if asked.method == 'GET':
        return answers[0], b'{"status":"error","errorType":"any","error":"no"}'
    with open('posts', 'w', encoding='ascii') as posts:
        posts.write(str(asked.before + 1))
    if token and asked.headers['Authorization'] != 'Bearer ' + token:
        return 401, b''
    return answers[min(asked.before, len(answers) - 1)], b''


web.serve(answer)
