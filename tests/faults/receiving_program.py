"""A receiver of its own that writes each delivery down, and kills itself at a step by chance.

Arguments: port, file, step, chance. Steps: `before-taking`, `before-answer` (written down, not answered),
`after-answer`, `never`. Written down: one line a delivery, event id, contract and position.
"""

import os
import random
import signal
import sys
from pathlib import Path

from aiohttp import web


def main(port: int, file: Path, step: str, chance: float) -> None:
    written = file.open("a", encoding="ascii", buffering=1)

    def perhaps(here: str) -> None:
        if here == step and random.random() < chance:  # noqa: S311 # no secret
            os.kill(os.getpid(), signal.SIGKILL)

    async def hook(request: web.Request) -> web.StreamResponse:
        event = await request.json()
        perhaps("before-taking")
        written.write(f"{event['id']} {event['correlationid']} {int(event['sequence'])}\n")
        perhaps("before-answer")
        answer = web.Response(status=204)
        await answer.prepare(request)
        await answer.write_eof()
        perhaps("after-answer")
        return answer

    app = web.Application()
    app.router.add_post("/hook", hook)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
